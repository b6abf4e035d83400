"""Which public datasets can be fetched by name: their places, sums and terms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """One file of a dataset: where it may lie, and which bytes it must have."""

    name: str
    urls: tuple[str, ...]
    sha256: str
    size: int
    """In bytes; for the progress line where the server does not say."""


@dataclass(frozen=True)
class RemoteDataset:
    """Files that belong together, and the terms under which their owners give them."""

    files: tuple[RemoteFile, ...]
    page: str
    terms: str
    unpacked: str = ""
    """The folder that the only file, a tar archive, unpacks to; empty if nothing is unpacked."""


def _drive(name: str, file_id: str, sha256: str, size: int) -> RemoteFile:
    urls = (
        f"https://drive.usercontent.google.com/download?id={file_id}&export=download&confirm=t",
        f"https://drive.google.com/uc?export=download&confirm=t&id={file_id}",
    )
    return RemoteFile(name, urls, sha256, size)


def _mnist(name: str, sha256: str, size: int) -> RemoteFile:
    urls = (
        f"https://ossci-datasets.s3.amazonaws.com/mnist/{name}",
        f"https://storage.googleapis.com/cvdf-datasets/mnist/{name}",
    )
    return RemoteFile(name, urls, sha256, size)


DATASETS: dict[str, RemoteDataset] = {
    # File ids and sums as published in torchvision's prototype datasets.
    "celeba": RemoteDataset(
        files=(
            _drive(
                "img_align_celeba.zip",
                "0B7EVK8r0v71pZjFTYXZWM3FlRnM",
                "46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
                1_443_490_838,
            ),
            _drive(
                "list_attr_celeba.txt",
                "0B7EVK8r0v71pblRyaVFSWGxPY0U",
                "f0e5da289d5ccf75ffe8811132694922b60f2af59256ed362afa03fefba324d0",
                26_721_026,
            ),
            _drive(
                "identity_CelebA.txt",
                "1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS",
                "c6143857c3e2630ac2da9f782e9c1232e5e59be993a9d44e8a7916c78a6158c0",
                3_424_458,
            ),
            _drive(
                "list_bbox_celeba.txt",
                "0B7EVK8r0v71pbThiMVRxWXZ4dU0",
                "7487a82e57c4bb956c5445ae2df4a91ffa717e903c5fa22874ede0820c8ec41b",
                6_082_035,
            ),
            _drive(
                "list_landmarks_align_celeba.txt",
                "0B7EVK8r0v71pd0FJY3Blby1HUTQ",
                "6c02a87569907f6db2ba99019085697596730e8129f67a3d61659f198c48d43b",
                12_156_055,
            ),
            _drive(
                "list_eval_partition.txt",
                "0B7EVK8r0v71pY0NSMzRuSXJEVkk",
                "fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7",
                2_836_386,
            ),
        ),
        page="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        terms="non-commercial research only; the images may not be passed on",
    ),
    # URL and sum as published in scikit-learn.
    "lfw": RemoteDataset(
        files=(
            RemoteFile(
                "lfw.tgz",
                ("https://ndownloader.figshare.com/files/5976018",),
                "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
                180_566_744,
            ),
        ),
        page="http://vis-www.cs.umass.edu/lfw/",
        terms="press photographs, gathered for research; no licence is stated",
        unpacked="lfw",
    ),
    "mnist": RemoteDataset(
        files=(
            _mnist(
                "train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                9_912_422,
            ),
            _mnist(
                "train-labels-idx1-ubyte.gz",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                28_881,
            ),
            _mnist(
                "t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                1_648_877,
            ),
            _mnist(
                "t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                4_542,
            ),
        ),
        page="http://yann.lecun.com/exdb/mnist/",
        terms="Creative Commons BY-SA 3.0",
    ),
}
