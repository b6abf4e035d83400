"""How many faces does `facewright prepare drawn` draw a second?

    python benchmarks/drawn_speed.py

Processor time of one core, the best of three: other processes share the machine. Ends with
status 1 below the target.
"""

import sys
import time

from facewright.data.drawn import draw

TARGET, COUNT = 500, 200  # images/s of 32 px


def main() -> None:
    """Draw three times and print the best rate."""
    rates = []
    for _ in range(3):
        start = time.process_time()
        for index in range(COUNT):
            draw(index, size=(32, 32), seed=0)
        rates.append(COUNT / (time.process_time() - start))
    print(f"drawn faces of 32 px  {max(rates):,.0f} images/s (target {TARGET})")
    sys.exit(max(rates) < TARGET)


if __name__ == "__main__":
    main()
