// The contract's kernel. add_one.ptx is made of it: nvcc -ptx -arch=compute_75 -o add_one.ptx add_one.cu
struct Arguments {
  unsigned char *bytes;
  unsigned count;
};

extern "C" __global__ void add_one(Arguments given) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < given.count) ++given.bytes[i];
}
