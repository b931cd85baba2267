#include "runtime/support/process.h"

#include "runtime/support/error.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tilewright {

namespace {

[[noreturn]] void cannot_run(const std::string& program, int error) { throw Error(3310, "'" + program + "' cannot be run: " + std::strerror(error)); }

// Both ends of a pipe, closed when done with.
struct Pipe {
  explicit Pipe(const std::string& program) {
    if (pipe2(ends, O_CLOEXEC) != 0) cannot_run(program, errno);
  }
  ~Pipe() {
    close(ends[0]);
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_writer() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  int ends[2] = {-1, -1};
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  void no_input() { posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0); }
  void input_from(int file) { posix_spawn_file_actions_adddup2(&actions_, file, STDIN_FILENO); }
  void output_to(int file) {
    posix_spawn_file_actions_adddup2(&actions_, file, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, file, STDERR_FILENO);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

pid_t start(const std::vector<std::string>& command, const SpawnActions& actions) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  if (const int error = posix_spawn(&child, words[0], actions.get(), nullptr, words.data(), environ)) cannot_run(command.front(), error);
  return child;
}

// Appends what comes next; false at the end.
bool read_some(int file, std::string& text) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(file, buffer, sizeof buffer);
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    if (got >= 0 || errno != EINTR) return got > 0;
  }
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command) {
  Pipe pipe(command.front());
  SpawnActions actions;
  actions.no_input();
  actions.output_to(pipe.ends[1]);
  const pid_t child = start(command, actions);
  pipe.close_writer();

  ProcessResult result;
  while (read_some(pipe.ends[0], result.output)) {
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) cannot_run(command.front(), errno);
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

Conversation::Conversation(const std::vector<std::string>& command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) cannot_run(command.front(), errno);
  channel_ = ends[0];
  SpawnActions actions;
  actions.input_from(ends[1]);
  actions.output_to(ends[1]);
  try {
    process_ = start(command, actions);
  } catch (...) {
    close(ends[0]);
    close(ends[1]);
    throw;
  }
  close(ends[1]);
}

Conversation::~Conversation() {
  close(channel_);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Conversation::say(const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t some = send(channel_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (some < 0 && errno != EINTR) return;
    if (some > 0) sent += static_cast<std::size_t>(some);
  }
}

std::optional<std::string> Conversation::next_line() {
  std::size_t end;
  while ((end = unread_.find('\n')) == std::string::npos) {
    if (read_some(channel_, unread_)) continue;
    if (unread_.empty()) return std::nullopt;
    unread_ += '\n';  // the last line has none
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

}  // namespace tilewright
