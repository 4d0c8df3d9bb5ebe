"""The GPU: device, memory, kernels, graphs. Importing it loads no CUDA."""
