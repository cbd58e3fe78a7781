"""A stranger's build: what `run` does to the library as its users would."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import elf

HERE = pathlib.Path(__file__).resolve().parent
MISSING_ALL = ["-DCMAKE_DISABLE_FIND_PACKAGE_%s=ON" % name
               for name in ("SQLite3", "prometheus-cpp", "CLI11", "OpenSSL")]


# Flags of our own build, which must not become a user's.
OURS = re.compile(r"fcf-protection|stack-protector|stack-clash|auto-var-init|FORTIFY|ASSERTIONS"
                  r"|relro|-Werror|-Wall|BUILDS_SHARED|fvisibility")


class Failed(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failed(what)


class Package:
    def __init__(self, args, top):
        self.args = args
        self.top = top
        self.env = {key: value for key, value in os.environ.items()
                    if key not in ("CMAKE_PREFIX_PATH", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH",
                                   "orderproc_DIR", "MAKEFLAGS", "CXXFLAGS", "LDFLAGS")}
        shutil.copytree(HERE, top / "stranger")

    def call(self, command, ok=True, cwd=None, **env):
        """Its output; fails unless it succeeds (or, with ok=False, fails)."""
        command = [str(word) for word in command]
        print("$", " ".join(command), flush=True)
        done = subprocess.run(command, cwd=cwd or self.top, env={**self.env, **env}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if ok is not None and (done.returncode == 0) != ok:
            raise Failed("exit code %d of %s:\n%s" % (done.returncode, " ".join(command),
                                                      done.stdout))
        return done.stdout

    def configure(self, source, build, *options, ok=True):
        return self.call([self.args.cmake, "-S", source, "-B", build, "-G", self.args.generator,
                          "-DCMAKE_CXX_COMPILER=" + self.args.cxx,
                          "-DCMAKE_CXX_COMPILER_LAUNCHER=" + self.args.launcher,
                          "-DCMAKE_BUILD_TYPE=" + self.args.config, *options], ok=ok)

    def build(self, project, *options, arguments=("shop.db",)):
        """Configures, builds and runs one of the projects beside this file."""
        build = pathlib.Path(tempfile.mkdtemp(prefix=project, dir=self.top))
        self.configure(self.top / "stranger" / project, build, *options)
        output = self.call([self.args.cmake, "--build", build, "-j", 2, "--target", "shop"])
        check("warning:" not in output, "warnings in a user's build:\n" + output)
        said = self.call([build / "shop", *arguments], cwd=build)
        check("PENDING" in said, "an order that is not pending: " + said)
        return build

    def install(self, build):
        """Installs to one place and moves everything to another: its new prefix."""
        self.call([self.args.cmake, "--install", build, "--config", self.args.config,
                   "--prefix", self.top / "first" / "usr"])
        os.rename(self.top / "first", self.top / "moved")
        prefix = self.top / "moved" / "usr"
        for path in prefix.rglob("*"):
            if path.is_file() and path.suffix in (".cmake", ".pc", ".hpp"):
                text = path.read_text()
                for place in (self.top / "first", self.args.source, self.args.build):
                    check(str(place) not in text, "%s names %s" % (path, place))
                ours = path.suffix != ".hpp" and OURS.search(text)
                check(not ours, "%s hands on what is ours alone: %s" % (path, ours))
        self.complete(prefix)
        if (prefix / "bin" / "orderproc").exists():
            self.monitoring(prefix)
        self.search_paths(prefix)
        return prefix

    def monitoring(self, prefix):
        """The server comes with its rules, dashboards and runbooks."""
        for place, ours in ((self.args.source / "server", "monitoring"),
                            (self.args.source / "docs", "runbooks")):
            def files(top):
                return {str(it.relative_to(top)): it.read_bytes()
                        for it in top.rglob("*") if it.is_file()}

            there = files(prefix / "share" / "orderproc" / ours)
            check(there == files(place / ours), "%s is not installed as it is" % ours)

    def search_paths(self, top):
        """No program or library takes what it loads from the working directory."""
        for path in elf.linked_below(top):
            unsafe = elf.unsafe_entries(elf.search_path(path))
            check(not unsafe, "%s looks for libraries in %s" % (path, unsafe))

    def complete(self, prefix):
        """All public headers are there, but those of components that are not."""
        def headers(place):
            return {str(path.relative_to(place)) for path in place.rglob("*.hpp")}

        absent = {name for name in ("sqlite", "prometheus")
                  if not any(prefix.rglob("orderproc-%s.cmake" % name))}
        ours = {name for name in headers(self.args.source / "include")
                if pathlib.PurePath(name).stem not in absent}
        check(headers(prefix / "include") == ours,
              "headers that are not installed, or not ours: %s"
              % sorted(headers(prefix / "include") ^ ours))

    def parts(self, build):
        """What runs a program, and what builds one, can be installed apart."""
        files = {}
        for part in ("orderproc_runtime", "orderproc_dev"):
            place = self.top / part
            self.call([self.args.cmake, "--install", build, "--config", self.args.config,
                       "--prefix", place, "--component", part])
            files[part] = [path.name for path in place.rglob("*") if not path.is_dir()]
        libraries = [name for name in files["orderproc_runtime"] if ".so." in name]
        check(libraries, "the runtime has no libraries: %s" % files["orderproc_runtime"])
        check(not [name for name in files["orderproc_runtime"]
                   if name.endswith((".hpp", ".cmake", ".pc", ".a", ".so"))],
              "the runtime has what only builds need: %s" % files["orderproc_runtime"])
        check("liborderproc_core.so" in files["orderproc_dev"] and "engine.hpp"
              in files["orderproc_dev"], "not enough to build: %s" % files["orderproc_dev"])

    def use(self, prefix):
        """What find_package and pkg-config find there."""
        found = "-DCMAKE_PREFIX_PATH=%s" % prefix
        self.build("find_package", found)
        self.build("core_only", found, *MISSING_ALL, arguments=())
        self.build("every_component", found)
        self.build("cpp17", found)
        self.plugin(found)
        self.pkg_config(prefix)

    def plugin(self, found):
        """A plugin exports its own function: of ours nothing, however the library is linked."""
        build = self.build("plugin", found)
        plugin = build / "shop_plugin.so"
        check(elf.exported(plugin, r"\btake_order$"), "%s does not export its function" % plugin)
        ours = elf.exported(plugin, r"orderproc")
        check(not ours, "a plugin exports %d symbols of orderproc:\n%s" % (len(ours),
                                                                         "\n".join(ours[:20])))

    def pkg_config(self, prefix):
        pc = next(prefix.rglob("pkgconfig"))
        shared = any(prefix.rglob("liborderproc_core.so"))
        tool = "pkg-config" if shared else "pkg-config --static"
        env = {"PKG_CONFIG_PATH": str(pc)}
        for path in sorted(pc.glob("*.pc")):
            self.call(["pkg-config", "--validate", path.stem], **env)
            flags = self.call(tool.split() + ["--cflags", "--libs", path.stem], **env)
            check(str(prefix) in os.path.normpath(flags.split()[0]), "not of this tree: " + flags)
        flags = self.call(tool.split() + ["--libs", "orderproc-sqlite"], **env).split()
        check(("-lsqlite3" in flags) != shared, "SQLite is private to the library: %s" % flags)
        check("-lorderproc_core" in flags, "no core: %s" % flags)
        stranger = self.top / "stranger" / "pkg_config"
        self.call(["make", "-C", stranger, "CXX=" + self.args.cxx, "PKG_CONFIG=" + tool], **env)
        said = self.call([stranger / "shop", self.top / "pkg_config.db"],
                         LD_LIBRARY_PATH=str(pc.parent))
        check("PENDING" in said, "an order that is not pending: " + said)

    def refusals(self, prefix):
        """What cannot be had is said in words."""
        shutil.copytree(prefix, self.top / "less")
        for path in (self.top / "less").rglob("*orderproc-sqlite*"):
            path.unlink()

        def ask(what, ok, *says, where=prefix, options=()):
            said = self.configure(self.top / "stranger" / "core_only", self.top / "asked",
                                  "-UASK", "-Uorderproc_DIR", "-DCMAKE_PREFIX_PATH=%s" % where,
                                  "-DASK=" + what.replace(" ", ";"), *options, ok=ok)
            said = " ".join(said.split())
            for text in says:
                check(text in said, "“%s” should be said about %s, not: %s" % (text, what, said))

        less = self.top / "less"
        without = ("-DCMAKE_DISABLE_FIND_PACKAGE_SQLite3=ON",)
        ask("0.2 CONFIG REQUIRED", True)
        ask("0.2 CONFIG REQUIRED COMPONENTS sqlight", False, 'no component "sqlight"',
            "components are core, json, feed, asio, prometheus, sqlite")
        ask("0.2 CONFIG REQUIRED COMPONENTS sqlite", False, '"sqlite" is not in this installation',
            where=less)
        ask("0.2 CONFIG REQUIRED COMPONENTS core OPTIONAL_COMPONENTS sqlite", True,
            '"sqlite" is not in this installation', where=less)
        for accepted in ("0.2.0", "0.2.0 EXACT", "0.1...0.3", "0.2...0.3.5", "0.1.9...<0.3", "0...1"):
            ask(accepted + " CONFIG REQUIRED", True)
        for refused in ("0.3...0.4", "0.1.1...0.1.9", "0.1...<0.2", "0.2.1", "0.1", "0.2.1 EXACT"):
            ask(refused + " CONFIG REQUIRED", False, "requested version")
        ask("0.3 CONFIG REQUIRED", False, "compatible with requested version")
        ask("1.0 CONFIG REQUIRED", False, "compatible with requested version")
        if not any(prefix.rglob("*.so")):
            ask("0.2 CONFIG REQUIRED COMPONENTS sqlite", False, "sqlite needs SQLite3",
                options=without)

    def shared(self, prefix):
        """Names of shared libraries, and what they export."""
        # What one of our libraries has of another's inside: marked in a header that is not public.
        marked = [name for header in (self.args.source / "lib").rglob("*.hpp") for pattern in
                  (r"^class ORDERPROC_EXPORT (\w+)", r"^ORDERPROC_EXPORT [^;{(]*?(\w+)\(")
                  for name in re.findall(pattern, header.read_text(), re.M)]
        ours = re.compile(r"detail::(%s)\b" % "|".join(marked))
        check(marked, "nothing is marked, which is no longer so: mend this test")
        for name in ("core", "json", "feed", "sqlite", "testing"):
            path = next(prefix.rglob("liborderproc_%s.so" % name))
            dynamic = self.call(["readelf", "-d", path])
            check("[$ORIGIN]" in dynamic, "it does not find the others beside it: " + dynamic)
            soname = re.search(r"SONAME.*\[(.*)\]", dynamic).group(1)
            version = re.search(r"project\(orderproc VERSION (\d+\.\d+)",
                                (self.args.source / "CMakeLists.txt").read_text()).group(1)
            check(soname == "liborderproc_%s.so.%s" % (name, version), soname)
            symbols = self.call(["nm", "-DC", "--defined-only", path]).splitlines()
            # Templates of std:: are weak and everybody's.
            inner = [line for line in symbols if re.search(r" [TDBRVW] .*orderproc::v1::", line)
                     and re.search(r"^[^(<]*\b(detail::|impl\b|state\b)", line.split(None, 2)[-1])
                     and not ours.search(line)]
            check(not inner, "exported but not promised:\n" + "\n".join(inner))
