// What nearly every test includes, and what takes long to compile. Tests include what they use all
// the same: they compile without this header as well.
#include <orderproc/engine.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>
