// A process that saves a network over and over is killed at random moments. After each kill the file is the state before
// the save or the one after it, whole; and what a save left behind besides is not mistaken for a state.
//
//   kill_during_save [ROUNDS]
//   kill_during_save save FILE     what is killed: adds 1 to all numbers and saves, without end
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include <gradus/gradus.h>

namespace nn = gradus::nn;

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "kill_during_save: %s\n", what.c_str());
  std::exit(1);
}

// Large enough for a save to take several writes, small enough for hundreds of saves.
nn::Sequential network() { return nn::Sequential(nn::Linear(100, 300), nn::ReLU(), nn::Linear(300, 50)); }

void fill(nn::Sequential& net, double value) {
  const gradus::NoGradGuard no_grad;
  for (const auto& [name, tensor] : net->state_dict()) tensor.fill_(value);
}

// The one number that the whole state consists of.
double value_of(nn::Sequential& net) {
  const double value = net->parameters()[0].max().item<double>();
  for (const auto& [name, tensor] : net->state_dict()) {
    if (tensor.min().item<double>() != value || tensor.max().item<double>() != value) {
      fail("a mixed state was loaded: " + name + " differs from " + std::to_string(value));
    }
  }
  return value;
}

[[noreturn]] void save_without_end(const std::string& path) {
  nn::Sequential net = network();
  gradus::load(net, path);
  for (double value = value_of(net) + 1;; ++value) {
    fill(net, value);
    if (write(STDOUT_FILENO, "(", 1) != 1) std::_Exit(1);
    gradus::save(net, path);
    if (write(STDOUT_FILENO, ")", 1) != 1) std::_Exit(1);
  }
}

// Starts the saving child, waits for its first save, and kills it a random while after. Whether it was in a save.
bool save_and_kill(const char* program, const std::string& path, std::mt19937& random) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(program, program, "save", path.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  char said[2];
  if (read(ends[0], said, 1) != 1 || read(ends[0], said, 1) != 1 || said[0] != ')') fail("the child did not save");
  std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  char last = said[0];
  while (read(ends[0], said, 1) == 1) last = said[0];
  close(ends[0]);
  if (!WIFSIGNALED(status)) fail("the child ended by itself");
  return last == '(';
}

// How many temporary files lie beside the state. Anything else is an error.
int temporaries(const std::string& folder, const std::string& state) {
  int count = 0;
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) fail("cannot list " + folder);
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || name == state) continue;
    if (!name.starts_with("." + state + ".") || !name.ends_with(".tmp")) fail("a stray file: " + std::string(name));
    ++count;
  }
  closedir(entries);
  return count;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 3 && std::string_view(argv[1]) == "save") save_without_end(argv[2]);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
  const char* base = std::getenv("TMPDIR");
  std::string folder = std::string(base != nullptr ? base : "/tmp") + "/gradus-kill-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) fail("cannot make " + folder);
  const std::string state = "state.safetensors", path = folder + "/" + state;

  nn::Sequential net = network();
  fill(net, 0);
  gradus::save(net, path);
  std::mt19937 random(1);
  int during = 0, left = 0;
  double before = 0;
  for (int round = 0; round < rounds; ++round) {
    during += save_and_kill(argv[0], path, random);
    gradus::load(net, path);
    const double value = value_of(net);
    if (value <= before) fail("a save that had ended is lost: " + std::to_string(value));
    before = value;
    // The next save removes what this one left.
    const int found = temporaries(folder, state);
    if (found > 1) fail(std::to_string(found) + " temporary files are left");
    left += found;
  }
  gradus::save(net, path);
  if (temporaries(folder, state) != 0) fail("a save did not remove what others left");
  unlink(path.c_str());
  rmdir(folder.c_str());
  std::printf("%d kills, %d of them within a save, after %.0f saves; %d left a temporary file\n", rounds, during,
              before, left);
  if (during == 0) fail("no kill came within a save: nothing was shown");
  return 0;
} catch (const gradus::Error& error) {
  fail(error.what());
}
