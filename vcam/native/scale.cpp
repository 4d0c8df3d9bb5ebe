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

// Spans of at most two samples each, as vectors want them: a single sample stands twice, the second without weight.
struct Linear {
    alignas(64) int32_t first[kMaxSide];
    alignas(64) int32_t last[kMaxSide];
    alignas(64) float first_weight[kMaxSide];
    alignas(64) float last_weight[kMaxSide];
    bool all;       // no span is longer
    int direction;  // 1, -1: single samples in a row, to the right or to the left; 0: anything else

    void place(const pixel::Span* spans, int n) {
        all = true;
        direction = n > 1 && spans[1].first < spans[0].first ? -1 : 1;
        for (int i = 0; i < n; ++i) {
            const pixel::Span& s = spans[i];
            all = all && s.last <= s.first + 1;
            if (s.last != s.first || s.first != spans[0].first + direction * i) direction = 0;
            first[i] = s.first;
            last[i] = s.last;
            first_weight[i] = s.first_weight;
            last_weight[i] = s.last > s.first ? s.last_weight : 0.0f;
        }
        for (int i = n; i < kMaxSide && i % kLanes; ++i) first[i] = last[i] = 0;
    }
};

struct Scratch {
    alignas(64) float mixed[kMaxRowBytes];
    pixel::Span columns[2][kMaxSide];  // [0] whole, [1] halved components
    Linear linear[2];
    alignas(64) float line[kMaxSide];
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

void mix_line(const float* row, int step, const Component& target, Scratch& s) {
    const Linear& linear = s.linear[target.halved];
    if (!linear.all) {
        for (int i = 0; i < target.size; ++i) s.line[i] = mix_columns(row, s.columns[target.halved][i], step);
        return;
    }
    for (int i = 0; i < target.size; i += kLanes)
        store(s.line + i, load(linear.first_weight + i) * gather(row, load(linear.first + i) * step) +
                              load(linear.last_weight + i) * gather(row, load(linear.last + i) * step));
}

void write_row(const PlaneLayout& from, const PlaneLayout& to, Scratch& s, uint8_t* out) {
    for (int c = 0; c < to.count; ++c) {
        const Component& target = to.components[c];
        mix_line(s.mixed + from.components[c].offset, from.components[c].step, target, s);
        uint8_t* at = out + target.offset;
        if (target.step == 1)
#pragma GCC ivdep
            for (int i = 0; i < target.size; ++i) at[i] = static_cast<uint8_t>(pixel::level(s.line[i]));
        else
#pragma GCC ivdep
            for (int i = 0; i < target.size; ++i) at[i * target.step] = static_cast<uint8_t>(pixel::level(s.line[i]));
    }
}

template <int kStep>
void copy_samples(const uint8_t* from, int direction, int n, uint8_t* to) {
    if (direction > 0)
#pragma GCC ivdep
        for (int i = 0; i < n; ++i) to[i * kStep] = from[i * kStep];
    else
#pragma GCC ivdep
        for (int i = 0; i < n; ++i) to[i * kStep] = from[-i * kStep];
}

// One row where every sample is one of the source: a picture that is only turned.
void copy_row(const PlaneLayout& to, const Scratch& s, const uint8_t* from, uint8_t* out) {
    for (int c = 0; c < to.count; ++c) {
        const Component& target = to.components[c];
        const Linear& linear = s.linear[target.halved];
        const uint8_t* begin = from + linear.first[0] * target.step + target.offset;
        uint8_t* at = out + target.offset;
        switch (target.step) {
            case 1:
                copy_samples<1>(begin, linear.direction, target.size, at);
                break;
            case 2:
                copy_samples<2>(begin, linear.direction, target.size, at);
                break;
            case 3:
                copy_samples<3>(begin, linear.direction, target.size, at);
                break;
            default:
                copy_samples<4>(begin, linear.direction, target.size, at);
        }
    }
}

bool only_copies(const PlaneLayout& to, const Scratch& s) {
    bool copies = true;
    for (int c = 0; c < to.count; ++c) copies = copies && s.linear[to.components[c].halved].direction != 0;
    return copies;
}

void place_columns(const Scale& job, Scratch& s) {
    const float step = job.window.width / static_cast<float>(job.target.width);
    for (int i = 0; i < job.target.width; ++i) s.columns[0][i] = pixel::span(i, step, job.window.x, job.source.width);
    for (int i = 0; i < pairs_of(job.target); ++i)
        s.columns[1][i] = pixel::span(i, step, 0.5f * job.window.x, pairs_of(job.source));
    s.linear[0].place(s.columns[0], job.target.width);
    s.linear[1].place(s.columns[1], pairs_of(job.target));
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
    const bool copies = only_copies(to, s);
    for (int y = band * kBandRows; y < last; ++y) {
        const pixel::Span rows = pixel::span(y, step, origin, size.rows);
        if (copies && rows.first == rows.last) {
            copy_row(to, s, line(job.source, plane, rows.first), line(job.target, plane, y));
            continue;
        }
        mix_rows(job.source, plane, rows, read.begin, read.end, s.mixed);
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
