// Checks between Python and the loops: types, shapes, strides, overlap. Every failure names the argument.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <string>
#include <utility>
#include <vector>

#include "loops.h"

namespace vcam {

// The bytes an argument covers, for the check that outputs overlap no input.
struct Extent {
    const char* name;
    const uint8_t* begin;
    const uint8_t* end;
};

// Collects what one call reads and writes while it parses it.
class Arguments {
public:
    Picture source(const char* name, nanobind::handle picture) { return picture_of(name, picture, reads_, false); }
    Picture target(const char* name, nanobind::handle picture) { return picture_of(name, picture, writes_, true); }

    // (3, 4) float32.
    static pixel::Matrix34 matrix(const char* name, nanobind::handle array);

    // (4, h, w) float32 each, of one size.
    Matte matte(nanobind::handle a, nanobind::handle b, nanobind::handle window, float gain, float offset);

    // (channels, height, width) float32.
    const float* input(const char* name, nanobind::handle array, size_t channels, int& height, int& width);
    float* output(const char* name, nanobind::handle array, size_t channels, int& height, int& width);

    // (height, width) uint8 or float32; the other pointer stays null.
    void alpha_output(const char* name, nanobind::handle array, Alpha& job);

    static Window window(const char* name, nanobind::handle window, int width, int height);

    // Raises where an output overlaps an input or another output. The last call before the work.
    void check_overlap() const;

private:
    static Picture picture_of(const char* name, nanobind::handle picture, std::vector<Extent>& extents, bool writes);

    std::vector<Extent> reads_, writes_;
};

[[noreturn]] void bad_type(const std::string& text);
[[noreturn]] void bad_value(const std::string& text);

// Any number of finite floats, one after another.
std::pair<const float*, size_t> float_values(const char* name, nanobind::handle array);

}  // namespace vcam
