// Has the headers of precompiled.hpp compiled.
