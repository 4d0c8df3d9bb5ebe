"""V4L2: the ABI, functions over a descriptor, thin objects. Everything goes through ``kernel.Kernel``."""
