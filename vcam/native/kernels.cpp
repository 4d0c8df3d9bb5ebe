// The table of one instruction set's loops.
#include "loops.h"

#define VCAM_TEXT_OF(x) #x
#define VCAM_TEXT(x) VCAM_TEXT_OF(x)

namespace vcam::VCAM_ISA {

void sample(const Sample&, int);
void compose(const Compose&, int);
void alpha(const Alpha&, int);
void convert(const Convert&, int);
void scale(const Scale&, int);
void blur_gather(const BlurGather&, int);
void blur_render(const BlurRender&, int);
void edge_prepare(const EdgePrepare&, int);
void grow_matte(const Grow&, int);
void light(const Light&, int);
bool all_finite(const float*, size_t);

extern const Kernels kernels = {VCAM_TEXT(VCAM_ISA), sample,      compose,      alpha,     convert, scale,
                                blur_gather,         blur_render, edge_prepare, grow_matte, light, all_finite};

}  // namespace vcam::VCAM_ISA
