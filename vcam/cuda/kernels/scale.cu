// scale: a picture, or a window of it, at another size in the same layout and colour.
#include "picture.cuh"

namespace vcam::cuda {

// Which sample of which component a byte of a row is.
struct Sample {
    int offset, step;  // of the component, in bytes of the source's row
    int index;
    bool halved;  // one sample stands for two columns
};

VCAM_D Sample sample_of(const Picture& target, int plane, int byte) {
    const int last = target.width - 1;
    switch (target.layout) {
        case Layout::YUYV: {
            if (byte % 2) return {byte % 4, 4, byte / 4, true};
            // The second luma of the last pair of an odd width repeats the first.
            return {0, 2, byte / 2 < last ? byte / 2 : last, false};
        }
        case Layout::RGB24:
            return {byte % 3, 3, byte / 3, false};
        case Layout::NV12:
            if (plane > 0) return {byte % 2, 2, byte / 2, true};
            break;
        default:
            break;
    }
    return {0, 1, byte, plane > 0 && shares_chroma(target.layout)};
}

VCAM_D float weight_of(const pixel::Span& span, int i) {
    return i == span.first ? span.first_weight : i == span.last ? span.last_weight : span.middle_weight;
}

// Rows first, then columns, as the loops on the CPU do.
VCAM_D float mix_sample(const ScaleArguments& p, const float4& window, int plane, const pixel::Span& rows, const Sample& sample) {
    const pixel::Span columns = pixel::span(sample.index, window.x, sample.halved ? 0.5f * window.z : window.z,
                                            sample.halved ? pairs_of(p.source) : p.source.width);
    float sum = 0.0f;
    for (int i = columns.first; i <= columns.last; ++i) {
        const uint8_t* from = at(p.source, plane, rows.first, i * sample.step + sample.offset);
        float mixed = 0.0f;
        for (int row = rows.first; row <= rows.last; ++row, from += p.source.stride[plane])
            mixed += weight_of(rows, row) * byte_of<0>(load<uint8_t>(from));
        sum += weight_of(columns, i) * mixed;
    }
    return sum;
}

// Four bytes of a row of one plane.
VCAM_KERNEL(8) scale(VCAM_ARGUMENT ScaleArguments p) {
    const int plane = thread_z(), y = thread_y(), begin = 4 * thread_x();
    const PlaneSize size = plane_size(p.target.layout, p.target.width, p.target.height, plane);
    if (y >= size.rows || begin >= size.bytes) return;
    const float4 window = load<float4>(&p.view->step_x);  // and step_y, x, y
    const bool halved_rows = plane > 0 && halves_rows(p.target.layout);
    const int source_rows = plane_size(p.source.layout, p.source.width, p.source.height, plane).rows;
    const pixel::Span rows = pixel::span(y, window.y, halved_rows ? 0.5f * window.w : window.w, source_rows);
    uint32_t levels[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int byte = begin + i < size.bytes ? begin + i : size.bytes - 1;
        levels[i] = level(mix_sample(p, window, plane, rows, sample_of(p.target, plane, byte)));
    }
    const uint32_t word = pack4(levels[0], levels[1], levels[2], levels[3]);
    uint8_t* to = at(p.target, plane, y, begin);
    if (begin + 4 <= size.bytes && aligned(to, 4))
        store<uint32_t>(to, word);
    else
        store_bytes(at(p.target, plane, y, 0), begin, 4, size.bytes, word);
}

}  // namespace vcam::cuda
