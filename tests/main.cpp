// main() of every test program.
#define BOOST_TEST_MODULE orderproc
#include <boost/test/unit_test.hpp>
