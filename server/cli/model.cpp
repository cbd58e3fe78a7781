// `orderproc model …`: models as files.

#include "cli/model_examples.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

namespace orderproc::server {

namespace {

struct model_command {
    std::string file, example;
    storage_settings storage;

    bool asks_storage() const { return storage.option->count() > 0 || !storage.file.empty(); }
};

void print_text(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (!text.ends_with('\n')) std::fputc('\n', stdout);
}

result<shop_model> read_file(const std::string& path) {
    const auto text = read_model_text(path);
    if (!text) return text.error();
    auto model = shop_model_of(*text);
    if (model) return model;
    return failure{errc::invalid_argument, path + ":\n" + model.error().detail};
}

int check_file(const model_command& with) {
    const auto model = read_file(with.file);
    if (!model) return fail(model.error());
    const auto attributes = model->orders.attributes();
    const auto indexed = std::count_if(attributes.begin(), attributes.end(),
                                       [](const attribute_rule* it) { return it->indexed; });
    std::printf("%s: ok: %zu attributes, %td of them indexed; %zu statuses; %zu stages\n",
                with.file.c_str(), attributes.size(), indexed, model->statuses.statuses().size(),
                model->statuses.stages().size());
    return 0;
}

result<shop_model> model_in(const storage_settings& settings) {
    auto orders = settings.open();
    if (!orders) return std::move(orders).error();
    return load_model(**orders);
}

int print(const model_command& with) {
    const auto model = !with.file.empty()    ? read_file(with.file)
                       : with.asks_storage() ? model_in(with.storage)
                                             : shop_model_of("{}");
    if (!model) return fail(model.error());
    print_text(to_json(model->orders, model->statuses));
    return 0;
}

int example(const model_command& with) {
    for (const model_example& it : model_examples()) {
        if (it.name != with.example) continue;
        print_text(it.text);
        return 0;
    }
    std::string names;
    for (const model_example& it : model_examples()) {
        names.append(names.empty() ? "" : ", ").append(it.name);
    }
    return fail(
        {errc::invalid_argument, "no example \"" + with.example + "\"; there are " + names});
}

}  // namespace

void add_model(command_line to) {
    auto* command = to.app.add_subcommand("model", "Order models as files: see docs/model.md");
    command->require_subcommand(1);
    command->fallthrough();
    const auto with = std::make_shared<model_command>();
    const auto add = [&](const char* name, const char* help, int (*what)(const model_command&)) {
        auto* out = command->add_subcommand(name, help);
        out->callback([&run = to.run, with, what] { run = [with, what] { return what(*with); }; });
        return out;
    };
    add("check", "Says whether a file is a model, or all that is wrong with it", check_file)
        ->add_option("file", with->file, "Its path")
        ->required();
    auto* print_command =
        add("print", "A model in its canonical form; without a file the standard one", print);
    print_command->add_option("file", with->file, "Its path");
    with->storage.add_to(*print_command, "Print the model of this storage");
    add("example", "A model to begin with", example)
        ->add_option("name", with->example, "shop, marketplace or fulfilment")
        ->required();
}

}  // namespace orderproc::server
