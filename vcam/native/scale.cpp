// scale: a picture, or a window of it, at another size in the same layout and colour.
#include "rows.h"

namespace vcam::VCAM_ISA {
namespace {

constexpr int kBandRows = 32;
constexpr int kMaxRowBytes = 3 * kMaxSide;

// One component inside the rows of a plane.
struct Component {
    int offset, step;  // bytes
    int size;          // samples
    int halved;        // whether one sample stands for two columns
};

struct PlaneLayout {
    int count;
    Component components[3];
    bool halved_rows;
};

PlaneLayout layout_of(const Picture& p, int plane) {
    const int w = p.width, cw = pairs_of(p);
    const bool chroma = plane > 0;
    switch (p.layout) {
        case Layout::YUYV:
            return {3, {{0, 2, w, 0}, {1, 4, cw, 1}, {3, 4, cw, 1}}, false};
        case Layout::RGB24:
            return {3, {{0, 3, w, 0}, {1, 3, w, 0}, {2, 3, w, 0}}, false};
        case Layout::NV12:
            if (chroma) return {2, {{0, 2, cw, 1}, {1, 2, cw, 1}}, true};
            return {1, {{0, 1, w, 0}}, false};
        case Layout::I420:
        case Layout::I422:
            if (chroma) return {1, {{0, 1, cw, 1}}, p.layout == Layout::I420};
            return {1, {{0, 1, w, 0}}, false};
        default:
            return {1, {{0, 1, w, 0}}, false};
    }
}

struct Scratch {
    alignas(64) float mixed[kMaxRowBytes];
    pixel::Span columns[2][kMaxSide];  // [0] whole, [1] halved components
};

void add_row(const uint8_t* row, float weight, int begin, int end, bool first, float* out) {
    if (first)
        for (int i = begin; i < end; ++i) out[i] = weight * row[i];
    else
        for (int i = begin; i < end; ++i) out[i] += weight * row[i];
}

// The rows of one plane mixed into one row of floats, all components at once.
void mix_rows(const Picture& p, int plane, const pixel::Span& rows, int begin, int end, float* out) {
    for (int r = rows.first; r <= rows.last; ++r) {
        const float weight = r == rows.first  ? rows.first_weight
                             : r == rows.last ? rows.last_weight
                                              : rows.middle_weight;
        add_row(line(p, plane, r), weight, begin, end, r == rows.first, out);
    }
}

float mix_columns(const float* row, const pixel::Span& s, int step) {
    float sum = s.first_weight * row[s.first * step];
    for (int i = s.first + 1; i < s.last; ++i) sum += s.middle_weight * row[i * step];
    if (s.last > s.first) sum += s.last_weight * row[s.last * step];
    return sum;
}

void write_row(const PlaneLayout& from, const PlaneLayout& to, const Scratch& s, uint8_t* out) {
    for (int c = 0; c < to.count; ++c) {
        const Component& target = to.components[c];
        const float* row = s.mixed + from.components[c].offset;
        const int step = from.components[c].step;
        for (int i = 0; i < target.size; ++i)
            out[i * target.step + target.offset] =
                static_cast<uint8_t>(pixel::level(mix_columns(row, s.columns[target.halved][i], step)));
    }
}

void place_columns(const Scale& job, Scratch& s) {
    const float step = job.window.width / static_cast<float>(job.target.width);
    for (int i = 0; i < job.target.width; ++i) s.columns[0][i] = pixel::span(i, step, job.window.x, job.source.width);
    for (int i = 0; i < pairs_of(job.target); ++i)
        s.columns[1][i] = pixel::span(i, step, 0.5f * job.window.x, pairs_of(job.source));
}

struct Bytes {
    int begin, end;
};

// Of a row of a plane, what the columns read. Chroma's taps can lie beyond luma's, by a whole step in an odd last pair.
Bytes bytes_read(const PlaneLayout& from, const PlaneLayout& to, const Scratch& s, int row_bytes) {
    Bytes read = {row_bytes, 0};
    for (int c = 0; c < to.count; ++c) {
        const pixel::Span* columns = s.columns[to.components[c].halved];
        const pixel::Span &left = columns[0], &right = columns[to.components[c].size - 1];
        const int first = left.first < right.first ? left.first : right.first;
        const int last = left.last > right.last ? left.last : right.last;
        const int begin = first * from.components[c].step, end = (last + 1) * from.components[c].step;
        read.begin = begin < read.begin ? begin : read.begin;
        read.end = end > read.end ? end : read.end;
    }
    read.end = read.end < row_bytes ? read.end : row_bytes;
    return read;
}

void run_task(const Scale& job, int plane, int band, Scratch& s) {
    const PlaneLayout from = layout_of(job.source, plane), to = layout_of(job.target, plane);
    const PlaneSize size = plane_size(job.source.layout, job.source.width, job.source.height, plane);
    const int target_rows = plane_size(job.target.layout, job.target.width, job.target.height, plane).rows;
    const float step = job.window.height / static_cast<float>(job.target.height);
    const float origin = from.halved_rows ? 0.5f * job.window.y : job.window.y;
    const Bytes read = bytes_read(from, to, s, size.bytes);
    const int last = (band + 1) * kBandRows < target_rows ? (band + 1) * kBandRows : target_rows;
    for (int y = band * kBandRows; y < last; ++y) {
        mix_rows(job.source, plane, pixel::span(y, step, origin, size.rows), read.begin, read.end, s.mixed);
        write_row(from, to, s, line(job.target, plane, y));
    }
}

// The second luma of the last YUYV pair of an odd width repeats the first.
void pad_yuyv(const Picture& p) {
    if (p.layout != Layout::YUYV || p.width % 2 == 0) return;
    for (int y = 0; y < p.height; ++y) line(p, 0, y)[2 * p.width] = line(p, 0, y)[2 * p.width - 2];
}

}  // namespace

void scale(const Scale& job, int threads) {
    const int bands = (job.target.height + kBandRows - 1) / kBandRows;
    const int planes = plane_size(job.target.layout, 1, 1, 2).rows   ? 3
                       : plane_size(job.target.layout, 1, 1, 1).rows ? 2
                                                                     : 1;
#pragma omp parallel num_threads(threads)
    {
        Scratch scratch;
        place_columns(job, scratch);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < planes * bands; ++i) run_task(job, i / bands, i % bands, scratch);
    }
    pad_yuyv(job.target);
    (void)threads;
}

}  // namespace vcam::VCAM_ISA
