"""vcam: a virtual camera appliance that shows the same person before another background.

Importing this package does nothing: no device is opened, no library loaded.
"""

__version__ = "0.1.0"
