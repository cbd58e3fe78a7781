#ifndef ORDERPROC_SERVER_AUTH_PROBLEMS_HPP
#define ORDERPROC_SERVER_AUTH_PROBLEMS_HPP

// What is refused because of who asks.

#include "http/problem.hpp"

namespace orderproc::server::auth::problems {

inline constexpr http::problem_kind unauthenticated{401, "unauthenticated",
                                                    "A valid credential is needed"};
inline constexpr http::problem_kind forbidden{403, "forbidden",
                                              "The credential does not have the scope"};
inline constexpr http::problem_kind credentials_unavailable{503, "credentials_unavailable",
                                                            "Credentials cannot be checked now"};

}  // namespace orderproc::server::auth::problems

#endif
