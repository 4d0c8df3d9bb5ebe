// All kernels: one module, because the driver loads one image at a time.
#include "alpha.cu"
#include "blur.cu"
#include "compose.cu"
#include "convert.cu"
#include "edge.cu"
#include "look.cu"
#include "sample.cu"
#include "scale.cu"
