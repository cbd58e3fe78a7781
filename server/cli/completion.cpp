// `orderproc completion bash`: a script for the shell, made from the commands as they are declared.

#include "cli/settings.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

namespace {

// What words a command has, by its path ("keys create"; empty: orderproc itself), and what values
// an option takes. What is not known to take one of a few values takes the name of a file, which
// bash completes by itself.
constexpr const char* completion_begin =
    R"sh(# Completion for bash, made by `orderproc completion bash`.

_orderproc_commands() {
    case "$1" in
)sh";
constexpr const char* completion_flags = R"sh(    esac
}

_orderproc_flags() {
    case "$1" in
)sh";
constexpr const char* completion_values = R"sh(    esac
}

_orderproc_valued() {
    case "$1" in
)sh";
constexpr const char* completion_sets = R"sh(    esac
}

_orderproc_set() {
    case "$1" in
)sh";
constexpr const char* completion_end = R"sh(    esac
}

_orderproc() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local path= word i
    # bash splits --option=value at the equals sign.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word=${COMP_WORDS[i]}
        if [[ $word == --* ]]; then
            if [[ " $(_orderproc_valued "$path") " == *" $word "* ]]; then
                ((++i))
                if [[ ${COMP_WORDS[i]} == "=" ]]; then ((++i)); fi
            fi
        elif [[ -n $word && " $(_orderproc_commands "$path") " == *" $word "* ]]; then
            path=${path:+$path }$word
        fi
    done
    COMPREPLY=()
    if [[ -n $prev && " $(_orderproc_valued "$path") " == *" $prev "* ]]; then
        COMPREPLY=($(compgen -W "$(_orderproc_set "$path $prev")" -- "$cur"))
    elif [[ $cur == -* ]]; then
        word="$(_orderproc_flags "$path") $(_orderproc_valued "$path")"
        COMPREPLY=($(compgen -W "$word" -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$(_orderproc_commands "$path")" -- "$cur"))
    fi
}

complete -o default -F _orderproc orderproc
)sh";

// "{text,json}" of a type that is "TEXT:{text,json}"; only words that no shell expands.
std::string words_of_set(const std::string& type) {
    const std::size_t begin = type.find('{');
    const std::size_t end = type.find('}', begin == type.npos ? 0 : begin);
    if (begin == type.npos || end == type.npos) return {};
    std::string out = type.substr(begin + 1, end - begin - 1);
    std::replace(out.begin(), out.end(), ',', ' ');
    const bool plain = std::all_of(out.begin(), out.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == ' ' || c == '-' || c == '_' || c == '.';
    });
    return plain ? out : std::string();
}

void add_word(const std::string& word, std::string& to) {
    to.append(to.empty() ? "" : " ").append(word);
}

class completion_script {
public:
    std::string make(const CLI::App& app) {
        walk(app, {}, {}, {});
        return completion_begin + commands_ + completion_flags + flags_ + completion_values +
               valued_ + completion_sets + sets_ + completion_end;
    }

private:
    // flags and valued: of the commands above, which are understood below as well.
    void walk(const CLI::App& of, const std::string& path, std::string flags, std::string valued) {
        for (const CLI::Option* it : of.get_options({})) {
            if (it->get_lnames().empty() || it->get_group().empty()) continue;
            const std::string name = "--" + it->get_lnames().front();
            const bool takes_value = it->get_items_expected_max() > 0;
            std::string& words = takes_value ? valued : flags;
            if ((" " + words + " ").find(" " + name + " ") == words.npos) add_word(name, words);
            const std::string set = takes_value ? words_of_set(it->get_type_name()) : std::string();
            if (!set.empty()) add_case(path + " " + name, set, sets_);
        }
        std::string commands;
        const auto below = of.get_subcommands(
            [](const CLI::App* it) { return !it->get_name().empty() && !it->get_group().empty(); });
        for (const CLI::App* it : below) add_word(it->get_name(), commands);
        add_case(path, commands, commands_);
        add_case(path, flags, flags_);
        add_case(path, valued, valued_);
        for (const CLI::App* it : below) {
            walk(*it, path.empty() ? it->get_name() : path + " " + it->get_name(),
                 it->get_fallthrough() ? flags : std::string(),
                 it->get_fallthrough() ? valued : std::string());
        }
    }

    static void add_case(const std::string& what, const std::string& words, std::string& to) {
        if (words.empty()) return;
        to.append("        \"").append(what).append("\") echo \"").append(words).append("\" ;;\n");
    }

    std::string commands_, flags_, valued_, sets_;
};

int print_completion(const CLI::App& app) {
    const std::string script = completion_script().make(app);
    const bool whole = std::fwrite(script.data(), 1, script.size(), stdout) == script.size() &&
                       std::fflush(stdout) == 0;
    return whole ? 0 : fail("the script cannot be written");
}

}  // namespace

void add_completion(command_line to) {
    auto* command = to.app.add_subcommand("completion", "Prints a script for a shell to load");
    command->require_subcommand(1);
    auto* bash = command->add_subcommand("bash", "Completes commands and options in bash");
    bash->callback(
        [&run = to.run, &app = to.app] { run = [&app] { return print_completion(app); }; });
}

}  // namespace orderproc::server
