"""What is wrong with a training, how sure, since when, and what to do about it."""

from facewright.doctor.diagnose import Diagnosis, diagnose
from facewright.doctor.doctor import Doctor
from facewright.doctor.finding import Finding
from facewright.doctor.history import History

__all__ = ["Diagnosis", "Doctor", "Finding", "History", "diagnose"]
