// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_program.hpp"

#include <CLI/CLI.hpp>

#include "cli/function_commands.hpp"

namespace keyturn::cli {
namespace {

using Command = std::function<Answer(Administrator&, const AdminRequest&, Terminal&)>;

// A command below the path of the app that --app names.
Command in_app(
    std::function<Answer(Administrator&, const AdminRequest&, Terminal&, const std::string& path)> body) {
  return [body = std::move(body)](Administrator& admin, const AdminRequest& request, Terminal& terminal) {
    if (request.app.empty())
      return answer_of(
          Error(ErrorCode::InvalidConfiguration, "no app: give --in or --app, or set KEYTURN_APP"));
    const auto path = admin.app_path(request.app);
    return path ? body(admin, request, terminal, *path) : answer_of(path.error());
  };
}

Command plain(const char* method, const char* rest) {
  return in_app([=](Administrator& admin, const AdminRequest&, Terminal&, const std::string& path) {
    return admin.send(method, path + rest);
  });
}

/// As one part of a path (RFC 3986 section 2.3): what a person types never becomes a path of its own.
std::string path_part(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          kPlain.find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 0xFU]};
    }
  }
  return out;
}

// A command about one user.
Command user_command(const char* method, const char* rest) {
  return in_app([=](Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
    return admin.send(method, path + "/users/" + path_part(request.user) + rest);
  });
}

Command provider_switch(const char* rest) {
  return in_app([=](Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
    const auto id = admin.provider_id(path, request.provider);
    return id ? admin.send("PUT", path + "/auth_providers/" + path_part(*id) + rest) : answer_of(id.error());
  });
}

std::string json_text(EjsonDocument document) { return Ejson(std::move(document)).to_relaxed(); }

Answer add_provider(Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
  EjsonDocument body{{"type", request.provider}};
  if (!request.config_json.empty()) {
    const auto config = Ejson::parse(request.config_json);
    if (!config) return answer_of(config.error());
    body.set("config", *config);
  }
  return admin.send("POST", path + "/auth_providers", json_text(std::move(body)));
}

Answer list_app_users(Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
  return admin.send("GET",
                    path + "/users" + (request.after.empty() ? "" : "?after=" + path_part(request.after)));
}

Answer create_user(Administrator& admin, const AdminRequest& request, Terminal& terminal,
                   const std::string& path) {
  const Secret password = terminal.read_secret("The user's password: ");
  return admin.send("POST", path + "/users",
                    json_text({{"email", request.user}, {"password", password.reveal()}}));
}

Answer set_token_settings(Administrator& admin, const AdminRequest& request, Terminal&,
                          const std::string& path) {
  EjsonDocument body;
  if (request.access_seconds) body.set("access_token_lifetime_seconds", *request.access_seconds);
  if (request.refresh_seconds) body.set("refresh_token_lifetime_seconds", *request.refresh_seconds);
  if (request.idle_seconds) body.set("refresh_token_idle_seconds", *request.idle_seconds);
  if (request.idle_off) body.set("refresh_token_idle_seconds", nullptr);
  if (!request.algorithm.empty()) body.set("access_token_algorithm", request.algorithm);
  return admin.send("PATCH", path + "/security/token_settings", json_text(std::move(body)));
}

Answer set_password_settings(Administrator& admin, const AdminRequest& request, Terminal&,
                             const std::string& path) {
  EjsonDocument body;
  if (request.least_characters) body.set("minimum_length", *request.least_characters);
  if (request.refuse_common) body.set("refuse_common_passwords", *request.refuse_common);
  return admin.send("PATCH", path + "/security/password_settings", json_text(std::move(body)));
}

Answer push_from_folder(Administrator& admin, const AdminRequest& request, Terminal&,
                        const std::string& path) {
  return push_functions(admin, path, request.folder);
}

// By name, in a list of the app.
Command remove_named(const char* kind) {
  return in_app([=](Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
    const auto id = admin.id_of(path + kind, request.name);
    return id ? admin.send("DELETE", path + kind + "/" + *id) : answer_of(id.error());
  });
}

// A value or a secret; a secret is asked for.
Command set_named(const char* kind) {
  return in_app([=](Administrator& admin, const AdminRequest& request, Terminal& terminal,
                    const std::string& path) {
    const bool is_secret = request.value_json.empty();
    const Secret secret = is_secret ? terminal.read_secret("The secret: ") : Secret();
    const EjsonDocument body{{"name", request.name},
                             {"value", is_secret ? Ejson(secret.reveal()) : argument_of(request.value_json)}};
    const auto id = admin.id_of(path + kind, request.name);
    if (!id && id.error().code != ErrorCode::ValueNotFound) return answer_of(id.error());
    return id ? admin.send("PUT", path + kind + "/" + *id, json_text(body))
              : admin.send("POST", path + kind, json_text(body));
  });
}

Answer add_service(Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
  EjsonDocument body{{"name", request.name}, {"type", request.provider}};
  if (!request.config_json.empty()) {
    const auto config = Ejson::parse(request.config_json);
    if (!config) return answer_of(config.error());
    body.set("config", *config);
  }
  return admin.send("POST", path + "/services", json_text(std::move(body)));
}

Answer switch_data_api(Administrator& admin, const std::string& path, bool is_on) {
  return admin.send("PATCH", path + "/data_api/config", json_text({{"disabled", !is_on}}));
}

/// A test run by the administrator, whom rules do not bind, or in a user's place.
Answer run_function(Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
  const std::string as = request.user.empty() ? "run_as_system=true" : "user_id=" + path_part(request.user);
  return admin.send("POST", path + "/debug/execute_function?" + as,
                    json_text({{"name", request.name}, {"arguments", arguments_of(request.arguments)}}));
}

Answer show_logs(Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
  std::string asked = path + "/logs?limit=" + std::to_string(request.most_lines);
  if (request.only_errors) asked += "&errors_only=true";
  if (!request.user.empty()) asked += "&user_id=" + path_part(request.user);
  if (!request.log_types.empty()) asked += "&type=" + path_part(request.log_types);
  Answer answer = admin.send("GET", asked);
  const Ejson* lines = answer.json.find("logs");
  const auto* list = lines == nullptr ? nullptr : lines->get_if<EjsonArray>();
  if (list != nullptr) answer.text = for_people(*lines);
  return answer;
}

/// What has no command of its own.
Answer send_request(Administrator& admin, const AdminRequest& request, Terminal&, const std::string& path) {
  if (!request.path.starts_with('/'))
    return answer_of(Error(ErrorCode::InvalidConfiguration, "the path begins with /"));
  return admin.send(request.method, path + request.path, request.body);
}

class Commands {
 public:
  explicit Commands(AdminRequest& request) : request_(request) {}

  CLI::App* add(CLI::App* parent, const char* name, const char* help, Command command) {
    CLI::App* sub = parent->add_subcommand(name, help);
    sub->callback([&request = request_, command = std::move(command)] { request.command = command; });
    return sub;
  }
  CLI::App* group(CLI::App* parent, const char* name, const char* help) {
    CLI::App* sub = parent->add_subcommand(name, help);
    sub->require_subcommand(1);
    sub->fallthrough();
    return sub;
  }

  void apps(CLI::App* admin) {
    CLI::App* apps = group(admin, "apps", "Apps of this server");
    add(apps, "list", "List all",
        [](Administrator& a, const AdminRequest&, Terminal&) { return a.send("GET", a.group_path()); });
    add(apps, "create", "Make a new app",
        [](Administrator& a, const AdminRequest& r, Terminal&) {
          return a.send("POST", a.group_path(), json_text({{"name", r.name}}));
        })
        ->add_option("name", request_.name, "Its name")
        ->required();
    add(apps, "delete", "Remove the app named by --in with all its users", plain("DELETE", ""));
  }

  void providers(CLI::App* admin) {
    CLI::App* providers = group(admin, "providers", "Ways to log in");
    add(providers, "list", "List those of the app", plain("GET", "/auth_providers"));
    CLI::App* more = add(providers, "add", "Add one, enabled", in_app(add_provider));
    more->add_option("type", request_.provider,
                     "anon-user, local-userpass, api-key, custom-token, custom-function")
        ->required();
    more->add_option("--config", request_.config_json, "Its configuration, a JSON object");
    for (const char* name : {"enable", "disable"}) {
      add(providers, name, "By type", provider_switch(*name == 'e' ? "/enable" : "/disable"))
          ->add_option("type", request_.provider, "Its type")
          ->required();
    }
  }

  void users(CLI::App* admin) {
    CLI::App* users = group(admin, "users", "Users of the app");
    add(users, "list", "List 50", in_app(list_app_users))
        ->add_option("--after", request_.after, "Begin after the user with this id");
    const auto about = [&](const char* name, const char* help, Command command) {
      add(users, name, help, std::move(command))
          ->add_option("user", request_.user, "The user's id")
          ->required();
    };
    add(users, "create", "Make a confirmed e-mail user; the password is asked for", in_app(create_user))
        ->add_option("email", request_.user, "E-mail address")
        ->required();
    about("show", "Show one", user_command("GET", ""));
    about("enable", "Let the user log in again", user_command("PUT", "/enable"));
    about("disable", "Lock the user out and end all sessions", user_command("PUT", "/disable"));
    about("delete", "Delete the account", user_command("DELETE", ""));
    about("revoke", "End all sessions of the user", user_command("PUT", "/logout"));
    about("sessions", "List the user's live sessions", user_command("GET", "/sessions"));
  }

  void functions(CLI::App* admin) {
    CLI::App* functions = group(admin, "functions", "Functions of the app");
    add(functions, "list", "List all", plain("GET", "/functions"));
    add(functions, "push", "Create or update the functions of a folder", in_app(push_from_folder))
        ->add_option("folder", request_.folder, "NAME.js files and their config.json")
        ->required();
    about_name(add(functions, "delete", "Remove one", remove_named("/functions")));
    CLI::App* run =
        add(functions, "run", "Run one as a test, and show its result and its log", in_app(run_function));
    about_name(run);
    run->add_option("arguments", request_.arguments,
                    "Extended JSON each; what is not JSON is taken as a text");
    run->add_option("--as", request_.user, "Run as the user with this id, not as the system");
  }

  void data_api(CLI::App* admin) {
    CLI::App* data_api = group(admin, "data-api", "Documents over HTTPS");
    for (const char* name : {"enable", "disable"}) {
      const bool is_on = *name == 'e';
      add(data_api, name, is_on ? "Switch it on" : "Switch it off",
          in_app([is_on](Administrator& a, const AdminRequest&, Terminal&, const std::string& path) {
            return switch_data_api(a, path, is_on);
          }));
    }
  }

  void logs(CLI::App* admin) {
    CLI::App* logs = add(admin, "logs", "What happened in the app lately, newest first", in_app(show_logs));
    logs->add_flag("--errors", request_.only_errors, "Only what failed");
    logs->add_option("--of", request_.user, "Only what the user with this id did");
    logs->add_option("--type", request_.log_types,
                     "Only these: AUTH, FUNCTION, ENDPOINT, ..., with commas between");
    logs->add_option("--limit", request_.most_lines, "Lines at most")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
  }

  void request(CLI::App* admin) {
    CLI::App* send =
        add(admin, "request", "Send a request to the admin API, below the app", in_app(send_request));
    send->add_option("path", request_.path, "For example /custom_user_data")->required();
    send->add_option("-X,--method", request_.method, "Method")->capture_default_str();
    send->add_option("-d,--data", request_.body, "JSON body");
  }

  void named(CLI::App* admin, const char* kind, const char* path, const char* help) {
    CLI::App* all = group(admin, kind, help);
    add(all, "list", "List all", plain("GET", path));
    CLI::App* set = add(all, "set", "Create or replace one", set_named(path));
    about_name(set);
    if (std::string_view(kind) == "values")
      set->add_option("value", request_.value_json, "Extended JSON, or a plain text")->required();
    about_name(add(all, "delete", "Remove one", remove_named(path)));
  }

  void services(CLI::App* admin) {
    CLI::App* services = group(admin, "services", "Services that the app is linked to");
    add(services, "list", "List all", plain("GET", "/services"));
    CLI::App* more = add(services, "add", "Link one", in_app(add_service));
    about_name(more);
    more->add_option("type", request_.provider, "mongodb-atlas, mongodb")->required();
    more->add_option("--config", request_.config_json, "Its configuration, a JSON object");
    about_name(add(services, "delete", "Unlink one", remove_named("/services")));
  }

  void token_settings(CLI::App* admin) {
    CLI::App* settings = group(admin, "token-settings", "Lifetimes and algorithm of the app's tokens");
    add(settings, "get", "Show", plain("GET", "/security/token_settings"));
    CLI::App* set = add(settings, "set", "Change what is given", in_app(set_token_settings));
    set->add_option("--access-seconds", request_.access_seconds, "Life of an access token");
    set->add_option("--refresh-seconds", request_.refresh_seconds, "Life of a refresh token");
    CLI::Option* idle = set->add_option("--idle-seconds", request_.idle_seconds,
                                        "End a session that was not used for so long");
    set->add_flag("--idle-off", request_.idle_off, "No idle limit")->excludes(idle);
    set->add_option("--algorithm", request_.algorithm, "Of access tokens")
        ->check(CLI::IsMember({"ES256", "HS256"}));
  }

  void password_settings(CLI::App* admin) {
    CLI::App* settings = group(admin, "password-settings", "Which new passwords the app takes");
    add(settings, "get", "Show", plain("GET", "/security/password_settings"));
    CLI::App* set = add(settings, "set", "Change what is given", in_app(set_password_settings));
    set->add_option("--minimum-length", request_.least_characters, "Characters at least, 6 to 64");
    set->add_option("--refuse-common", request_.refuse_common,
                    "true or false: whether the most common passwords are refused");
  }

 private:
  void about_name(CLI::App* command) { command->add_option("name", request_.name, "Its name")->required(); }

  AdminRequest& request_;
};

}  // namespace

void add_admin_commands(CLI::App& parser, AdminRequest& request) {
  Commands commands(request);
  CLI::App* admin = commands.group(&parser, "admin", "What an administrator does");
  admin->add_option("--admin-email", request.email, "The administrator's address (or KEYTURN_ADMIN_EMAIL)");
  admin->add_option("--in", request.app, "Client app id of the app to act on (or --app)");
  commands.apps(admin);
  commands.providers(admin);
  commands.users(admin);
  commands.functions(admin);
  commands.named(admin, "values", "/values", "Values that functions read");
  commands.named(admin, "secrets", "/secrets", "Secrets of the app, which are asked for and never shown");
  commands.services(admin);
  commands.data_api(admin);
  commands.logs(admin);
  commands.request(admin);
  commands.token_settings(admin);
  commands.password_settings(admin);
}

Answer run_admin(const AdminRequest& request, const Settings& settings, Terminal& terminal) {
  const Settings known = filled(settings, terminal);
  AdminRequest chosen = request;
  if (chosen.email.empty()) chosen.email = terminal.environment("KEYTURN_ADMIN_EMAIL").value_or("");
  if (chosen.app.empty()) chosen.app = known.app_id;
  if (known.base_url.empty()) {
    return answer_of(
        Error(ErrorCode::InvalidConfiguration, "no server: give --base-url or set KEYTURN_BASE_URL"));
  }
  if (chosen.email.empty()) {
    return answer_of(Error(ErrorCode::InvalidConfiguration,
                           "no administrator: give --admin-email or set KEYTURN_ADMIN_EMAIL"));
  }
  const auto given = terminal.environment("KEYTURN_ADMIN_PASSWORD");
  auto administrator =
      Administrator::log_in(known.base_url, chosen.email,
                            given ? Secret(*given) : terminal.read_secret("Administrator's password: "));
  if (!administrator) return answer_of(administrator.error());
  return chosen.command(*administrator, chosen, terminal);
}

}  // namespace keyturn::cli
