// The store: what is published is read, by whom it may be, and what goes when room is made.
#include "runtime/cache/store.h"

#include "tests/cache/faulty_files.h"
#include "tests/cache/folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tilewright::cache {
namespace {

using testing::OneFault;
namespace fs = std::filesystem;

constexpr std::int64_t kMinute = 60'000'000'000;

class StoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(FileSystem& files = system_files()) { return Store::open(folder_.cache(), files, problem_); }
  std::string path(const std::string& name) const { return folder_.kernels() + "/" + name; }
  std::string entry(const Hash128& hash) const { return path(to_hex(hash) + ".entry"); }
  static Hash128 hash(int i) { return hash128(std::to_string(i)); }

  // Sets a file's last use to so many minutes ago.
  void age(const std::string& file, std::int64_t minutes) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const timespec times[] = {{0, UTIME_OMIT}, {now.tv_sec - minutes * 60, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.kernels()), fs::directory_iterator())); }

  testing::Folder folder_;
  std::string problem_;
};

TEST_F(StoreTest, ReadsWhatWasPublished) {
  const auto store = open();
  ASSERT_NE(store, nullptr) << problem_;
  EXPECT_EQ(store->directory(), folder_.cache());
  EXPECT_FALSE(store->read(hash(1)));
  EXPECT_FALSE(store->contains(hash(1)));
  for (const std::string& bytes : {std::string("first"), std::string(), std::string(1 << 20, 'x')}) {
    ASSERT_TRUE(store->publish(hash(1), bytes, problem_)) << problem_;
    EXPECT_EQ(store->read(hash(1)), bytes);
    EXPECT_EQ(open()->read(hash(1)), bytes);
  }
  EXPECT_TRUE(store->contains(hash(1)));
  EXPECT_FALSE(store->read(hash(2)));
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(store->remove(hash(1)));
  EXPECT_FALSE(store->remove(hash(1)));
  EXPECT_FALSE(store->read(hash(1)));
}

TEST_F(StoreTest, WhatItMakesIsTheUsersAlone) {
  umask(0);
  const auto store = open();
  ASSERT_TRUE(store->publish(hash(1), "x", problem_));
  umask(022);
  EXPECT_EQ(fs::status(folder_.cache()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(folder_.kernels()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(entry(hash(1))).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(StoreTest, DirectoriesOthersCanWriteAreRefused) {
  ASSERT_NE(open(), nullptr);
  for (const std::string& folder : {folder_.cache(), folder_.kernels()}) {
    for (fs::perms perms : {fs::perms::group_write, fs::perms::others_write}) {
      fs::permissions(folder, perms, fs::perm_options::add);
      problem_.clear();
      EXPECT_EQ(open(), nullptr);
      EXPECT_NE(problem_.find(folder + "' is not yours alone"), std::string::npos) << problem_;
      fs::permissions(folder, perms, fs::perm_options::remove);
    }
  }
  EXPECT_NE(open(), nullptr);
}

TEST_F(StoreTest, FilesOthersCanWriteAreRefused) {
  const auto store = open();
  ASSERT_TRUE(store->publish(hash(1), "x", problem_));
  for (fs::perms perms : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(entry(hash(1)), perms, fs::perm_options::add);
    EXPECT_FALSE(store->read(hash(1)));
    fs::permissions(entry(hash(1)), perms, fs::perm_options::remove);
  }
  EXPECT_TRUE(store->read(hash(1)));
}

TEST_F(StoreTest, WhatOthersOwnIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const auto store = open();
  ASSERT_TRUE(store->publish(hash(1), "x", problem_));
  ASSERT_EQ(chown(entry(hash(1)).c_str(), 12345, 12345), 0);
  EXPECT_FALSE(store->read(hash(1)));
  ASSERT_EQ(chown(folder_.kernels().c_str(), 12345, 12345), 0);
  EXPECT_EQ(open(), nullptr);
}

TEST_F(StoreTest, OnlyRegularFilesAreRead) {
  const auto store = open();
  ASSERT_TRUE(store->publish(hash(1), "x", problem_));
  fs::create_symlink(entry(hash(1)), entry(hash(2)));
  fs::create_directory(entry(hash(3)));
  ASSERT_EQ(mkfifo(entry(hash(4)).c_str(), 0600), 0);
  for (int i : {2, 3, 4}) EXPECT_FALSE(store->read(hash(i))) << i;
  const int file = ::open(entry(hash(5)).c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(ftruncate(file, off_t{1} << 40), 0);  // a sparse file larger than any entry
  close(file);
  EXPECT_FALSE(store->read(hash(5)));
}

TEST_F(StoreTest, AFileInPlaceOfADirectoryIsAProblemWithWords) {
  std::ofstream(folder_.cache()) << "x";
  EXPECT_EQ(open(), nullptr);
  EXPECT_NE(problem_.find("cannot be opened"), std::string::npos) << problem_;
}

TEST_F(StoreTest, EachFailingCallIsAMissOrAProblem) {
  OneFault files;
  for (OneFault::Call call : {OneFault::Open, OneFault::Fstat}) {
    files.call = call;
    EXPECT_EQ(open(files), nullptr);
    EXPECT_NE(problem_.find("Input/output error"), std::string::npos) << problem_;
  }
  files.call = OneFault::None;
  const auto store = open(files);
  ASSERT_TRUE(store->publish(hash(1), "good", problem_));
  for (OneFault::Call call : {OneFault::OpenAt, OneFault::Fstat, OneFault::Read}) {
    files.call = call;
    EXPECT_FALSE(store->read(hash(1))) << call;
  }
  for (OneFault::Call call : {OneFault::Flock, OneFault::Touch}) {
    age(entry(hash(1)), 10);
    files.call = call;
    EXPECT_EQ(store->read(hash(1)), "good") << call;
  }
  for (int error : {ENOSPC, EROFS, EIO, ESTALE}) {
    files.error = error;
    for (OneFault::Call call : {OneFault::Create, OneFault::Write, OneFault::Fsync, OneFault::Close, OneFault::Rename}) {
      files.call = call;
      problem_.clear();
      EXPECT_FALSE(store->publish(hash(1), "other", problem_)) << call;
      EXPECT_NE(problem_.find(std::strerror(error)), std::string::npos) << problem_;
      files.call = OneFault::None;
      EXPECT_EQ(store->read(hash(1)), "good");
      EXPECT_EQ(this->files(), 1u);
    }
  }
  files.call = OneFault::ShortWrite;
  EXPECT_TRUE(store->publish(hash(1), "written byte by byte", problem_));
  EXPECT_EQ(store->read(hash(1)), "written byte by byte");
  files.call = OneFault::List;
  EXPECT_TRUE(store->list().empty());
  files.call = OneFault::FstatAt;
  EXPECT_TRUE(store->list().empty());
  files.call = OneFault::Unlink;
  EXPECT_EQ(store->prune(0).removed, 0u);
  for (OneFault::Call call : {OneFault::Create, OneFault::Flock, OneFault::Fstat}) {
    files.call = call;
    EXPECT_EQ(store->lock(hash(1), Store::Clock::now() + std::chrono::seconds(5), [] { return false; }), nullptr) << call;
  }
}

TEST_F(StoreTest, AUseIsNoted) {
  const auto store = open();
  for (int i : {1, 2}) ASSERT_TRUE(store->publish(hash(i), "x", problem_));
  age(entry(hash(1)), 100);
  age(entry(hash(2)), 50);
  EXPECT_EQ(store->list()[0].hash, hash(1));
  store->read(hash(1));
  const std::vector<StoredFile> after = store->list();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[1].hash, hash(1));
  EXPECT_EQ(after[1].bytes, 1u);
  EXPECT_NEAR(static_cast<double>(after[1].last_use_ns - after[0].last_use_ns), 50.0 * kMinute, 1.0 * kMinute);
}

TEST_F(StoreTest, PrunesWhatWasUsedLongestAgo) {
  const auto store = open();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(store->publish(hash(i), std::string(100, 'x'), problem_));
    age(entry(hash(i)), 100 - i);
  }
  EXPECT_EQ(store->prune(1000).removed, 0u);
  const PruneResult result = store->prune(450);
  EXPECT_EQ(result.removed, 6u);
  EXPECT_EQ(result.kept, 4u);
  EXPECT_EQ(result.removed_bytes, 600u);
  EXPECT_EQ(result.kept_bytes, 400u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(store->contains(hash(i)), i >= 6) << i;
  EXPECT_EQ(store->prune(0).kept, 0u);
}

TEST_F(StoreTest, PruningLeavesWhatIsInUse) {
  OneFault files;
  const auto store = open(files);
  for (int i : {1, 2, 3}) {
    ASSERT_TRUE(store->publish(hash(i), "x", problem_));
    age(entry(hash(i)), 10);
  }
  const int reader = ::open(entry(hash(1)).c_str(), O_RDONLY);
  ASSERT_EQ(flock(reader, LOCK_SH), 0);
  files.before_flock = [&] { age(entry(hash(2)), 0); };  // used between listing and removal
  const PruneResult result = store->prune(0);
  EXPECT_EQ(result.removed, 1u);
  EXPECT_TRUE(store->contains(hash(1)));
  EXPECT_TRUE(store->contains(hash(2)));
  close(reader);
  files.before_flock = [] {};
  EXPECT_EQ(store->prune(0).removed, 2u);
}

TEST_F(StoreTest, PruningRemovesWhatTheDeadLeft) {
  const auto store = open();
  const auto lock = store->lock(hash(9), Store::Clock::now(), [] { return false; });
  ASSERT_NE(lock, nullptr);
  const std::string old_temporary = path("a.1-1.tmp"), new_temporary = path("b.1-1.tmp"), old_lock = path(to_hex(hash(1)) + ".lock"),
                    new_lock = path(to_hex(hash(2)) + ".lock"), held_lock = path(to_hex(hash(9)) + ".lock"), strange = path("README"), not_a_hash = path("x.lock");
  for (const std::string& file : {old_temporary, new_temporary, old_lock, new_lock, strange, not_a_hash}) std::ofstream(file) << "x";
  for (const std::string& file : {old_temporary, old_lock, held_lock, strange, not_a_hash}) age(file, 120);
  store->prune(0);
  EXPECT_FALSE(fs::exists(old_temporary));
  EXPECT_FALSE(fs::exists(old_lock));
  for (const std::string& file : {new_temporary, new_lock, held_lock, strange, not_a_hash}) EXPECT_TRUE(fs::exists(file)) << file;
}

// Where a call fails, an entry may stay or go; what others keep in the folder stays.
TEST_F(StoreTest, PruningMeetsFaults) {
  for (OneFault::Call call : {OneFault::OpenAt, OneFault::Fstat, OneFault::Flock, OneFault::Unlink, OneFault::List, OneFault::FstatAt}) {
    OneFault files;
    const auto store = open(files);
    ASSERT_TRUE(store->publish(hash(1), "x", problem_));
    for (const char* name : {"not a hash.entry", "a.tmp", ".entry", "t"}) std::ofstream(path(name)) << "x";
    age(path("a.tmp"), 120);
    files.call = call;
    const PruneResult result = store->prune(0);
    EXPECT_LE(result.removed, 1u) << call;
    files.call = OneFault::None;
    EXPECT_EQ(store->contains(hash(1)), result.removed == 0) << call;
    EXPECT_EQ(store->prune(0).kept, 0u) << call;
    EXPECT_FALSE(fs::exists(path("a.tmp"))) << call;
    for (const char* name : {"not a hash.entry", ".entry", "t"}) EXPECT_TRUE(fs::exists(path(name))) << name;
  }
}

TEST_F(StoreTest, ALockWhoseFileCannotBeSeenIsNotHeld) {
  OneFault files;
  const auto store = open(files);
  files.call = OneFault::FstatAt;
  int asked = 0;
  EXPECT_EQ(store->lock(hash(1), Store::Clock::now() + std::chrono::hours(1), [&] { return ++asked == 2; }), nullptr);
  EXPECT_EQ(asked, 2);
}

TEST_F(StoreTest, ALockExcludesAndGoesAway) {
  const auto one = open(), other = open();
  const auto soon = [] { return Store::Clock::now() + std::chrono::milliseconds(30); };
  const auto never = [] { return false; };
  auto lock = one->lock(hash(1), soon(), never);
  ASSERT_NE(lock, nullptr);
  EXPECT_EQ(other->lock(hash(1), soon(), never), nullptr);
  EXPECT_NE(other->lock(hash(2), soon(), never), nullptr);
  int asked = 0;
  EXPECT_EQ(other->lock(hash(1), Store::Clock::now() + std::chrono::hours(1), [&] { return ++asked == 3; }), nullptr);
  EXPECT_EQ(asked, 3);
  std::thread waiter([&] { EXPECT_NE(other->lock(hash(1), Store::Clock::now() + std::chrono::seconds(60), never), nullptr); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  lock.reset();
  waiter.join();
  EXPECT_EQ(files(), 0u);
}

TEST_F(StoreTest, ALockOnARemovedFileDoesNotCount) {
  const auto one = open();
  OneFault files;
  const auto other = open(files);
  int removals = 0;
  files.before_flock = [&] {
    if (removals++ == 0) fs::remove(path(to_hex(hash(1)) + ".lock"));
  };
  const auto lock = other->lock(hash(1), Store::Clock::now() + std::chrono::seconds(60), [] { return false; });
  EXPECT_NE(lock, nullptr);
  EXPECT_EQ(removals, 2);
  EXPECT_TRUE(fs::exists(path(to_hex(hash(1)) + ".lock")));
}

TEST_F(StoreTest, ALockOnAReplacedFileDoesNotCount) {
  const auto one = open();
  OneFault files;
  const auto other = open(files);
  int replacements = 0;
  files.before_flock = [&] {
    if (replacements++ != 0) return;
    std::ofstream(path("another")) << "x";
    fs::rename(path("another"), path(to_hex(hash(1)) + ".lock"));
  };
  EXPECT_NE(other->lock(hash(1), Store::Clock::now() + std::chrono::seconds(60), [] { return false; }), nullptr);
  EXPECT_EQ(replacements, 2);
}

TEST_F(StoreTest, FilesShorterThanTheySayAreReadAsFarAsTheyGo) {
  std::ofstream(folder_.path() + "/short") << "four";
  const OpenFile file(system_files(), ::open((folder_.path() + "/short").c_str(), O_RDONLY));
  EXPECT_EQ(read_whole(system_files(), file.get(), 100), "four");
}

TEST_F(StoreTest, AFolderThatCannotBeListedIsAnError) {
  std::vector<std::string> names;
  EXPECT_EQ(system_files().list(-1, names), -1);
  EXPECT_TRUE(names.empty());
}

// A call that a signal interrupts is made again.
TEST_F(StoreTest, SignalsDoNotDisturb) {
  struct sigaction noticed {}, before {};
  static std::atomic<int> signals;
  signals = 0;
  noticed.sa_handler = [](int) { ++signals; };  // and no SA_RESTART
  ASSERT_EQ(sigaction(SIGUSR1, &noticed, &before), 0);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<pid_t> reader_id{0};
  std::thread reader([&] {
    reader_id = gettid();
    char byte = 0;
    EXPECT_EQ(system_files().read(ends[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
  });
  while (reader_id == 0) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) {
    tgkill(getpid(), reader_id, SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  reader.join();
  EXPECT_GT(signals, 0);
  close(ends[0]);
  close(ends[1]);
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(StoreTest, ADeadOwnersLockIsTakenOver) {
  const auto store = open();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string problem;
    const auto mine = Store::open(folder_.cache(), system_files(), problem)->lock(hash(1), Store::Clock::now(), [] { return false; });
    const char said = mine ? 'y' : 'n';
    [[maybe_unused]] const auto written = write(ready[1], &said, 1);
    pause();
    _exit(0);
  }
  char said = 0;
  ASSERT_EQ(::read(ready[0], &said, 1), 1);
  ASSERT_EQ(said, 'y');
  EXPECT_EQ(store->lock(hash(1), Store::Clock::now(), [] { return false; }), nullptr);
  kill(child, SIGKILL);
  const auto start = Store::Clock::now();
  EXPECT_NE(store->lock(hash(1), start + std::chrono::seconds(5), [] { return false; }), nullptr);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace tilewright::cache
