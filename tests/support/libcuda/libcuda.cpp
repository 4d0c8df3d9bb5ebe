// A libcuda.so.1 that computes on the CPU: enough of CUDA's driver for vcam's own driver to run for real, through the
// real pycuda and the real cuda-bindings, where there is no GPU. It is compiled against cuda.h, so its signatures are
// CUDA's. Work is done when it is queued; in a capture it is recorded. What else cuda.h has, the build adds as empty
// functions (fake_libcuda.py).
//
// FAKE_CUDA_DEVICES, FAKE_CUDA_VERSION, FAKE_CUDA_CAPABILITY (86), FAKE_CUDA_INIT (the code cuInit gives) in the
// environment make it another machine. A kernel is a function fake_kernel_NAME of this library, or of
// any that was loaded for all (kernels.py).

#include <cuda.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

using Work = std::function<void()>;
using Kernel = void (*)(const unsigned grid[3], const unsigned block[3], const void *arguments);

struct Stream {
  bool capturing = false, spoilt = false;
  std::vector<Work> recorded;
};

struct Event {
  double ms = -1;
  bool captured = false;
};

struct Graph {
  std::vector<Work> work;
};

std::recursive_mutex lock;
std::map<std::uintptr_t, size_t> device_memory, host_memory;
std::set<void *> streams, events, graphs, executables, modules;
int retained = 0;
double clock_ms = 0;
CUcontext const primary = reinterpret_cast<CUcontext>(0x7ca0);
thread_local std::vector<CUcontext> current;
thread_local bool captures_here = false;

int setting(const char *name, int otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}

size_t sum(const std::map<std::uintptr_t, size_t> &memory) {
  size_t bytes = 0;
  for (const auto &one : memory) bytes += one.second;
  return bytes;
}

bool inside(const std::map<std::uintptr_t, size_t> &memory, std::uintptr_t address, size_t bytes) {
  auto next = memory.upper_bound(address);
  if (next == memory.begin()) return false;
  --next;
  return address + bytes <= next->first + next->second;
}

Stream *known(CUstream handle) {
  return streams.count(handle) ? reinterpret_cast<Stream *>(handle) : nullptr;
}

CUresult queue(CUstream handle, Work work) {
  Stream *stream = known(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capturing) {
    stream->recorded.push_back(std::move(work));
  } else {
    work();
    clock_ms += 0.125;
  }
  return CUDA_SUCCESS;
}

void *symbol(const std::string &name) {
  static void *self = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  return dlsym(self, name.c_str());
}

CUresult spoil() {
  for (void *each : streams) {
    Stream *stream = static_cast<Stream *>(each);
    stream->spoilt = stream->spoilt || stream->capturing;
  }
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) CUresult
#define LOCKED std::lock_guard<std::recursive_mutex> guard(lock)
#define IN_CONTEXT \
  LOCKED;          \
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT
#define NOT_IN_CAPTURE \
  IN_CONTEXT;          \
  if (captures_here) return spoil()

API cuInit(unsigned) {
  return setting("FAKE_CUDA_DEVICES", 1) ? static_cast<CUresult>(setting("FAKE_CUDA_INIT", 0)) : CUDA_ERROR_NO_DEVICE;
}

API cuDriverGetVersion(int *version) {
  *version = setting("FAKE_CUDA_VERSION", 13000);
  return CUDA_SUCCESS;
}

API cuGetErrorString(CUresult code, const char **words) {
  static const std::map<int, const char *> known = {
      {0, "no error"},
      {1, "invalid argument"},
      {2, "out of memory"},
      {101, "invalid device ordinal"},
      {200, "device kernel image is invalid"},
      {201, "invalid device context"},
      {400, "invalid resource handle"},
      {500, "named symbol not found"},
      {719, "unspecified launch failure"},
      {900, "operation not permitted when stream is capturing"},
  };
  const auto found = known.find(code);
  *words = found == known.end() ? nullptr : found->second;
  return *words ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// cuda-bindings asks here for each function, by the name without its version.
API cuGetProcAddress_v2(const char *name, void **function, int, cuuint64_t, CUdriverProcAddressQueryResult *status) {
  *function = nullptr;
  for (const char *version : {"WithFlags", "_v4", "_v3", "_v2", ""}) {
    // cuGraphInstantiate is called cuGraphInstantiateWithFlags since CUDA 12; others with that ending are their own.
    if (*version == 'W' && std::strcmp(name, "cuGraphInstantiate") != 0) continue;
    *function = symbol(std::string(name) + version);
    if (*function) break;
  }
  if (status) *status = *function ? CU_GET_PROC_ADDRESS_SUCCESS : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

API cuDeviceGetCount(int *count) {
  *count = setting("FAKE_CUDA_DEVICES", 1);
  return CUDA_SUCCESS;
}

API cuDeviceGet(CUdevice *device, int ordinal) {
  *device = ordinal;
  return ordinal >= 0 && ordinal < setting("FAKE_CUDA_DEVICES", 1) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

API cuDeviceGetName(char *name, int length, CUdevice device) {
  std::snprintf(name, length, "CPU as GPU %d", device);
  return CUDA_SUCCESS;
}

API cuDeviceTotalMem(size_t *bytes, CUdevice) {
  *bytes = size_t{1} << 30;
  return CUDA_SUCCESS;
}

API cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
  const int capability = setting("FAKE_CUDA_CAPABILITY", 86);
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? capability / 10
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? capability % 10
                                                                       : 0;
  return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  LOCKED;
  ++retained;
  *context = primary;
  return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxRelease(CUdevice) {
  LOCKED;
  if (!retained) return CUDA_ERROR_INVALID_CONTEXT;
  --retained;
  return CUDA_SUCCESS;
}

API cuCtxPushCurrent(CUcontext context) {
  LOCKED;
  if (context != primary || !retained) return CUDA_ERROR_INVALID_CONTEXT;
  current.push_back(context);
  return CUDA_SUCCESS;
}

API cuCtxPopCurrent(CUcontext *context) {
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  *context = current.back();
  current.pop_back();
  return CUDA_SUCCESS;
}

API cuMemGetInfo(size_t *free, size_t *total) {
  IN_CONTEXT;
  *total = size_t{1} << 30;
  *free = *total - sum(device_memory);
  return CUDA_SUCCESS;
}

API cuMemAlloc(CUdeviceptr *address, size_t bytes) {
  NOT_IN_CAPTURE;
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  if (sum(device_memory) + bytes > size_t{1} << 30) return CUDA_ERROR_OUT_OF_MEMORY;
  *address = reinterpret_cast<CUdeviceptr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  std::memset(reinterpret_cast<void *>(*address), 0xCD, bytes);
  device_memory[*address] = bytes;
  return CUDA_SUCCESS;
}

API cuMemFree(CUdeviceptr address) {
  NOT_IN_CAPTURE;
  if (!device_memory.erase(address)) return CUDA_ERROR_INVALID_VALUE;
  std::free(reinterpret_cast<void *>(address));
  return CUDA_SUCCESS;
}

API cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  NOT_IN_CAPTURE;
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  *memory = std::malloc(bytes);
  host_memory[reinterpret_cast<std::uintptr_t>(*memory)] = bytes;
  return CUDA_SUCCESS;
}

API cuMemFreeHost(void *memory) {
  NOT_IN_CAPTURE;
  if (!host_memory.erase(reinterpret_cast<std::uintptr_t>(memory))) return CUDA_ERROR_INVALID_VALUE;
  std::free(memory);
  return CUDA_SUCCESS;
}

API cuMemcpy2DAsync(const CUDA_MEMCPY2D *asked, CUstream stream) {
  IN_CONTEXT;
  const CUDA_MEMCPY2D copy = *asked;
  const bool up = copy.dstMemoryType == CU_MEMORYTYPE_DEVICE;
  const auto device = static_cast<std::uintptr_t>(up ? copy.dstDevice : copy.srcDevice);
  const auto host = reinterpret_cast<std::uintptr_t>(up ? copy.srcHost : copy.dstHost);
  const size_t stride = up ? copy.dstPitch : copy.srcPitch;
  const size_t rows = copy.Height, width = copy.WidthInBytes;
  if (copy.srcMemoryType != (up ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE)) return CUDA_ERROR_INVALID_VALUE;
  if (!up && copy.dstMemoryType != CU_MEMORYTYPE_HOST) return CUDA_ERROR_INVALID_VALUE;
  if (!rows || copy.srcPitch < width || copy.dstPitch < width) return CUDA_ERROR_INVALID_VALUE;
  if (!inside(device_memory, device, (rows - 1) * stride + width)) return CUDA_ERROR_INVALID_VALUE;
  Stream *known_stream = known(stream);
  if (known_stream && known_stream->capturing && !inside(host_memory, host, width)) return spoil();
  const auto *source = reinterpret_cast<const char *>(up ? host : device);
  auto *target = reinterpret_cast<char *>(up ? device : host);
  return queue(stream, [=] {
    for (size_t row = 0; row < rows; ++row)
      std::memcpy(target + row * copy.dstPitch, source + row * copy.srcPitch, width);
  });
}

API cuMemcpyHtoDAsync(CUdeviceptr target, const void *source, size_t bytes, CUstream stream) {
  CUDA_MEMCPY2D copy = {};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = source;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = target;
  copy.srcPitch = copy.dstPitch = copy.WidthInBytes = bytes;
  copy.Height = 1;
  return cuMemcpy2DAsync(&copy, stream);
}

API cuMemcpyDtoHAsync(void *target, CUdeviceptr source, size_t bytes, CUstream stream) {
  CUDA_MEMCPY2D copy = {};
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = source;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = target;
  copy.srcPitch = copy.dstPitch = copy.WidthInBytes = bytes;
  copy.Height = 1;
  return cuMemcpy2DAsync(&copy, stream);
}

API cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t bytes, CUstream stream) {
  IN_CONTEXT;
  if (!inside(device_memory, target, bytes)) return CUDA_ERROR_INVALID_VALUE;
  return queue(stream, [=] { std::memset(reinterpret_cast<void *>(target), value, bytes); });
}

API cuStreamCreate(CUstream *stream, unsigned flags) {
  IN_CONTEXT;
  if (flags != CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;  // vcam makes no other
  *stream = reinterpret_cast<CUstream>(new Stream);
  streams.insert(*stream);
  return CUDA_SUCCESS;
}

API cuStreamDestroy(CUstream stream) {
  IN_CONTEXT;
  if (!streams.erase(stream)) return CUDA_ERROR_INVALID_HANDLE;
  delete reinterpret_cast<Stream *>(stream);
  return CUDA_SUCCESS;
}

API cuStreamSynchronize(CUstream handle) {
  IN_CONTEXT;
  Stream *stream = known(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  return stream->capturing ? spoil() : CUDA_SUCCESS;
}

API cuStreamBeginCapture(CUstream handle, CUstreamCaptureMode mode) {
  IN_CONTEXT;
  Stream *stream = known(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capturing || mode != CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) return CUDA_ERROR_INVALID_VALUE;
  stream->capturing = captures_here = true;
  stream->spoilt = false;
  stream->recorded.clear();
  return CUDA_SUCCESS;
}

API cuStreamEndCapture(CUstream handle, CUgraph *graph) {
  IN_CONTEXT;
  Stream *stream = known(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (!stream->capturing) return CUDA_ERROR_INVALID_VALUE;
  if (!captures_here) return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  stream->capturing = captures_here = false;
  if (stream->spoilt) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  *graph = reinterpret_cast<CUgraph>(new Graph{std::move(stream->recorded)});
  graphs.insert(*graph);
  return CUDA_SUCCESS;
}

API cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph, unsigned long long) {
  NOT_IN_CAPTURE;
  if (!graphs.count(graph)) return CUDA_ERROR_INVALID_HANDLE;
  *executable = reinterpret_cast<CUgraphExec>(new Graph(*reinterpret_cast<Graph *>(graph)));
  executables.insert(*executable);
  return CUDA_SUCCESS;
}

API cuGraphLaunch(CUgraphExec executable, CUstream stream) {
  IN_CONTEXT;
  if (!executables.count(executable)) return CUDA_ERROR_INVALID_HANDLE;
  const Graph graph = *reinterpret_cast<Graph *>(executable);
  for (const Work &work : graph.work)
    if (const CUresult code = queue(stream, work)) return code;
  return CUDA_SUCCESS;
}

API cuGraphDestroy(CUgraph graph) {
  IN_CONTEXT;
  if (!graphs.erase(graph)) return CUDA_ERROR_INVALID_HANDLE;
  delete reinterpret_cast<Graph *>(graph);
  return CUDA_SUCCESS;
}

API cuGraphExecDestroy(CUgraphExec executable) {
  IN_CONTEXT;
  if (!executables.erase(executable)) return CUDA_ERROR_INVALID_HANDLE;
  delete reinterpret_cast<Graph *>(executable);
  return CUDA_SUCCESS;
}

API cuEventCreate(CUevent *event, unsigned) {
  IN_CONTEXT;
  *event = reinterpret_cast<CUevent>(new Event);
  events.insert(*event);
  return CUDA_SUCCESS;
}

API cuEventDestroy(CUevent event) {
  IN_CONTEXT;
  if (!events.erase(event)) return CUDA_ERROR_INVALID_HANDLE;
  delete reinterpret_cast<Event *>(event);
  return CUDA_SUCCESS;
}

API cuEventRecordWithFlags(CUevent handle, CUstream stream, unsigned flags) {
  IN_CONTEXT;
  Stream *on = known(stream);
  if (!on || !events.count(handle)) return CUDA_ERROR_INVALID_HANDLE;
  const bool external = flags == CU_EVENT_RECORD_EXTERNAL;
  if (external && !on->capturing) return CUDA_ERROR_INVALID_VALUE;
  Event *event = reinterpret_cast<Event *>(handle);
  event->captured = on->capturing && !external;
  if (event->captured) return CUDA_SUCCESS;
  return queue(stream, [=] { event->ms = clock_ms; });
}

API cuEventRecord(CUevent event, CUstream stream) {
  return cuEventRecordWithFlags(event, stream, CU_EVENT_RECORD_DEFAULT);
}

API cuEventSynchronize(CUevent event) {
  NOT_IN_CAPTURE;
  return events.count(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

API cuEventElapsedTime(float *ms, CUevent start, CUevent end) {
  IN_CONTEXT;
  if (!events.count(start) || !events.count(end)) return CUDA_ERROR_INVALID_HANDLE;
  const Event *first = reinterpret_cast<Event *>(start), *last = reinterpret_cast<Event *>(end);
  if (first->captured || last->captured) return CUDA_ERROR_CAPTURED_EVENT;
  if (first->ms < 0 || last->ms < 0) return CUDA_ERROR_INVALID_HANDLE;
  *ms = static_cast<float>(last->ms - first->ms);
  return CUDA_SUCCESS;
}

API cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, CUjit_option *, void **) {
  NOT_IN_CAPTURE;
  if (std::memcmp(image, "//", 2) != 0) return CUDA_ERROR_INVALID_IMAGE;  // nvcc's PTX begins with a comment
  *module = reinterpret_cast<CUmodule>(new char);
  modules.insert(*module);
  return CUDA_SUCCESS;
}

API cuModuleUnload(CUmodule module) {
  IN_CONTEXT;
  if (!modules.erase(module)) return CUDA_ERROR_INVALID_HANDLE;
  delete reinterpret_cast<char *>(module);
  return CUDA_SUCCESS;
}

API cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  IN_CONTEXT;
  if (!modules.count(module)) return CUDA_ERROR_INVALID_HANDLE;
  const std::string there = std::string("fake_kernel_") + name;
  void *const own = symbol(there);
  *function = static_cast<CUfunction>(own ? own : dlsym(RTLD_DEFAULT, there.c_str()));
  return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

API cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned, CUstream stream, void **parameters, void **extra) {
  IN_CONTEXT;
  if (parameters || !extra || extra[0] != CU_LAUNCH_PARAM_BUFFER_POINTER || extra[2] != CU_LAUNCH_PARAM_BUFFER_SIZE)
    return CUDA_ERROR_INVALID_VALUE;
  const size_t blocks = size_t{grid_x} * grid_y * grid_z, threads = size_t{block_x} * block_y * block_z;
  if (blocks == 0 || threads == 0 || threads > 1024) return CUDA_ERROR_INVALID_VALUE;
  const auto *bytes = static_cast<const char *>(extra[1]);
  const std::vector<char> arguments(bytes, bytes + *static_cast<const size_t *>(extra[3]));
  const auto kernel = reinterpret_cast<Kernel>(function);
  return queue(stream, [=] {
    const unsigned grid[3] = {grid_x, grid_y, grid_z}, block[3] = {block_x, block_y, block_z};
    kernel(grid, block, arguments.data());
  });
}

// The twin of tests/cuda/add_one.cu.
extern "C" __attribute__((visibility("default"))) void fake_kernel_add_one(const unsigned grid[3],
                                                                           const unsigned block[3],
                                                                           const void *arguments) {
  struct {
    unsigned char *bytes;
    unsigned count;
  } given;
  std::memcpy(&given, arguments, sizeof given);
  for (unsigned i = 0; i < grid[0] * block[0] && i < given.count; ++i) ++given.bytes[i];
}

// What is left, in words; for tests, by ctypes.
extern "C" __attribute__((visibility("default"))) void fake_leaks(char *words, int length) {
  LOCKED;
  std::snprintf(words, length, "device %zu host %zu streams %zu events %zu graphs %zu executables %zu modules %zu "
                "contexts %d current %zu", device_memory.size(), host_memory.size(), streams.size(), events.size(),
                graphs.size(), executables.size(), modules.size(), retained, current.size());
}
