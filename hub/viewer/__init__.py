"""The image viewer (OHIF): which release, how it comes to this machine, its files. The portal serves them."""

from .files import File, files
from .install import install
from .release import ADDRESS, Release, installed, release

__all__ = ["ADDRESS", "File", "Release", "files", "install", "installed", "release"]
