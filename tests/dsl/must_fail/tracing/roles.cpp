// Schedules that break a rule of roles, or ask for what the hardware does not have.
#include "dsl/nvidia/sm90.h"
#include "tests/dsl/must_fail/must_fail.h"

namespace must_fail {

using namespace tilewright;

// The parts that a schedule has beside its mistake.
struct Scheduled {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }
};

nvidia::Channel tiles_of(const In& x) { return nvidia::channel(x.dtype(), {64, 64}, 2); }
Tile sums() { return zeros(f32, {64, 64}); }

struct TileEntersRole : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const Tile outside = load(x, {0, 0}, {64, 64});
    nvidia::roles({}, [&] {}, [&] { store(y, {0, 0}, outside); });  // error[TW1601]:42 'store' takes a tile from outside of its role
  }
};
MUST_FAIL_SCHEDULE(TileEntersRole, ({}), "x", "y")

struct TileEntersByAVar : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const Tile outside = load(x, {0, 0}, {64, 64});
    nvidia::roles({}, [&] {}, [&] {
      Var kept = zeros(bf16, {64, 64});
      when(x.size(0) > 64, [&] { kept = outside; });  // error[TW1601]:11 'when' takes a tile from outside of its role
      store(y, {0, 0}, kept);
    });
  }
};
MUST_FAIL_SCHEDULE(TileEntersByAVar, ({}), "x", "y")

struct TileBesideRoles : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {64, 64}));  // error[TW1604]:26 'load' stands beside roles
    nvidia::roles({}, [&] {}, [&] { store(y, {0, 64}, load(x, {0, 0}, {64, 64})); });
  }
};
MUST_FAIL_SCHEDULE(TileBesideRoles, ({}), "x", "y")

struct VarAssignedInRole : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    Var at = scalar(i64, 0);
    nvidia::roles({}, [&] { at = at + 64; }, [&] { store(y, {at, 0}, load(x, {0, 0}, {64, 64})); });  // error[TW1412]:39 a Var is assigned in a role
  }
};
MUST_FAIL_SCHEDULE(VarAssignedInRole, ({}), "x", "y")

struct ProducerHasTiles : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    nvidia::roles({}, [&] { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }, [&] {});  // error[TW1603]:50 'load' of a tile in the producer
  }
};
MUST_FAIL_SCHEDULE(ProducerHasTiles, ({}), "x", "y")

struct ProducerStores : Scheduled {
  void schedule(nvidia::Sm90, In, Out y) const {
    nvidia::roles({}, [&] { store(y, {0, 0}, scalar(bf16, 1)); }, [&] {});  // error[TW1603]:34 'store' in the producer
  }
};
MUST_FAIL_SCHEDULE(ProducerStores, ({}), "x", "y")

struct ProducerFences : Scheduled {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({}, [&] { fence(Order::Acquire); }, [&] {});  // error[TW1603]:34 'fence' in the producer
  }
};
MUST_FAIL_SCHEDULE(ProducerFences, ({}), "x", "y")

struct ConsumersSend : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] {}, [&] { nvidia::send(tiles, x, {0, 0}); });  // error[TW1602]:49 'send' is not for consumers
  }
};
MUST_FAIL_SCHEDULE(ConsumersSend, ({}), "x", "y")

struct SendInNoRole : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::send(tiles, x, {0, 0});  // error[TW1602]:17 'send' is in no role
  }
};
MUST_FAIL_SCHEDULE(SendInNoRole, ({}), "x", "y")

struct SecondRoles : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const auto copy = [&] { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); };
    nvidia::roles({}, [&] {}, copy);
    nvidia::roles({}, [&] {}, copy);  // error[TW1604]:18 a second 'roles'
  }
};
MUST_FAIL_SCHEDULE(SecondRoles, ({}), "x", "y")

struct ChannelInLoop : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    for (Index i : range(0, x.size(0), 64)) {
      const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);  // error[TW1604]:52 'channel' is in a region
    }
  }
};
MUST_FAIL_SCHEDULE(ChannelInLoop, ({}), "x", "y")

struct NotReleased : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile left = nvidia::receive(tiles);  // error[TW1605]:68 this tile is received and not given back in its region
                    store(y, {0, 0}, cast(nvidia::group_dot(left, left, sums()), bf16));
                  });
  }
};
MUST_FAIL_SCHEDULE(NotReleased, ({}), "x", "y")

struct ReadAfterRelease : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile left = nvidia::receive(tiles);
                    nvidia::release(left);
                    store(y, {0, 0}, cast(nvidia::group_dot(left, left, sums()), bf16));  // error[TW1605]:60 'group_dot' reads a tile that was given back
                  });
  }
};
MUST_FAIL_SCHEDULE(ReadAfterRelease, ({}), "x", "y")

struct ReleasedInLoop : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile left = nvidia::receive(tiles);
                    for (Index i : range(0, 2)) {
                      store(y, {i, 0}, cast(nvidia::group_dot(left, left, sums()), bf16));
                      nvidia::release(left);  // error[TW1605]:38 received in another region
                    }
                  });
  }
};
MUST_FAIL_SCHEDULE(ReleasedInLoop, ({}), "x", "y")

struct NeverWaitedFor : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile left = nvidia::receive(tiles);
                    const nvidia::Product begun = nvidia::begin_group_dot(left, left, sums());  // error[TW1606]:74 this product is begun and not waited for in its region
                    (void)begun;
                  });
  }
};
MUST_FAIL_SCHEDULE(NeverWaitedFor, ({}), "x", "y")

struct WaitedForBehindTheLoop : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile left = nvidia::receive(tiles);
                    const nvidia::Product begun = nvidia::begin_group_dot(left, left, sums());
                    for (Index i : range(0, 2)) store(y, {i, 0}, cast(nvidia::wait(begun), bf16));  // error[TW1606]:83 'wait' for a product of another region
                    nvidia::release(left);
                  });
  }
};
MUST_FAIL_SCHEDULE(WaitedForBehindTheLoop, ({}), "x", "y")

struct ReleasedInFlight : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile left = nvidia::receive(tiles);
                    const nvidia::Product begun = nvidia::begin_group_dot(left, left, sums());
                    nvidia::release(left);  // error[TW1606]:36 'release' of a tile that a product in flight reads
                    store(y, {0, 0}, cast(nvidia::wait(begun), bf16));
                  });
  }
};
MUST_FAIL_SCHEDULE(ReleasedInFlight, ({}), "x", "y")

struct WrittenInFlight : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = tiles_of(x);
    const nvidia::SharedTile left = nvidia::shared_tile(bf16, {64, 64});
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    nvidia::write(left, load(x, {0, 0}, {64, 64}));
                    const nvidia::SharedTile right = nvidia::receive(tiles);
                    const nvidia::Product begun = nvidia::begin_group_dot(left, right, sums());
                    nvidia::write(left, zeros(bf16, {64, 64}));  // error[TW1606]:34 'write' to a tile that a product in flight reads
                    store(y, {0, 0}, cast(nvidia::wait(begun), bf16));
                    nvidia::release(right);
                  });
  }
};
MUST_FAIL_SCHEDULE(WrittenInFlight, ({}), "x", "y")

struct WritesWhatItReceived : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); },
                  [&] {
                    const nvidia::SharedTile tile = nvidia::receive(tiles);
                    nvidia::write(tile, zeros(bf16, {64, 64}));  // error[TW1605]:34 'write' to a tile that was received
                    nvidia::release(tile);
                  });
  }
};
MUST_FAIL_SCHEDULE(WritesWhatItReceived, ({}), "x", "y")

struct TurnNotPassed : Scheduled {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Turns turns = nvidia::turns();
    nvidia::roles({}, [&] {}, [&] { nvidia::take_turn(turns); });  // error[TW1609]:54 this turn is taken and not passed on in its region
  }
};
MUST_FAIL_SCHEDULE(TurnNotPassed, ({}), "x", "y")

struct StoreInTurn : Scheduled {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Turns turns = nvidia::turns();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::take_turn(turns);
      store(y, {0, 0}, load(x, {0, 0}, {64, 64}));  // error[TW1609]:12 'store' in a turn
      nvidia::pass_turn(turns);
    });
  }
};
MUST_FAIL_SCHEDULE(StoreInTurn, ({}), "x", "y")

struct FenceInTurn : Scheduled {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Turns turns = nvidia::turns();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::take_turn(turns);
      fence(Order::Release);  // error[TW1609]:12 'fence' in a turn
      nvidia::pass_turn(turns);
    });
  }
};
MUST_FAIL_SCHEDULE(FenceInTurn, ({}), "x", "y")

struct ShortRows : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    nvidia::channel(x.dtype(), {64, 32}, 2);  // error[TW1607]:20 rows of 64 bytes are no multiple of 128
  }
};
MUST_FAIL_SCHEDULE(ShortRows, ({}), "x", "y")

struct OneStage : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    nvidia::channel(x.dtype(), {64, 64}, 1);  // error[TW1607]:20 a channel has room for 1 tiles
  }
};
MUST_FAIL_SCHEDULE(OneStage, ({}), "x", "y")

struct ChannelOfSingles : Scheduled {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::channel(f32, {64, 64}, 2);  // error[TW1607]:20 groups of warps multiply f16, bf16 and 8-bit floats
  }
};
MUST_FAIL_SCHEDULE(ChannelOfSingles, ({}), "x", "y")

struct SendOfAnotherDtype : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = nvidia::channel(f16, {64, 64}, 2);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); }, [&] {});  // error[TW1607]:41 'send' from view<?x?xbf16> to channel<2, 64x64xf16>
  }
};
MUST_FAIL_SCHEDULE(SendOfAnotherDtype, ({}), "x", "y")

struct SendOfAPart : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] { nvidia::send(tiles, x.narrow(0, 0, 64), {0, 0}); }, [&] {});  // error[TW1607]:41 'send' from a part of a tensor
  }
};
MUST_FAIL_SCHEDULE(SendOfAPart, ({}), "x", "y")

struct FewRows : Scheduled {
  Tune<int> warps{"warps", {8}};
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = tiles_of(x);
    nvidia::roles({}, [&] {}, [&] { nvidia::group_dot(nvidia::receive(tiles), nvidia::receive(tiles), sums()); });  // error[TW1607]:54 64 rows, no multiple of 16 for each of 8 warps
  }
};
MUST_FAIL_SCHEDULE(FewRows, ({}), "x", "y")

struct ProductShapes : Scheduled {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = nvidia::channel(bf16, {64, 128}, 2);
    nvidia::roles({}, [&] {}, [&] { nvidia::group_dot(nvidia::receive(tiles), nvidia::receive(tiles), sums()); });  // error[TW1214]:54 shapes do not fit in 'group_dot'
  }
};
MUST_FAIL_SCHEDULE(ProductShapes, ({}), "x", "y")

struct TooManyRegisters : Scheduled {
  Tune<int> warps{"warps", {8}};
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.producer = 40, .consumers = 240}, [&] {}, [&] {});  // error[TW1608]:18 the block has 64512 registers, and they would take 66560
  }
};
MUST_FAIL_SCHEDULE(TooManyRegisters, ({}), "x", "y")

struct RegistersThatNobodyLacks : Scheduled {
  Tune<int> warps{"warps", {4}};
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.producer = 24, .consumers = 240}, [&] {}, [&] {});  // error[TW1608]:18 every thread begins with 248
  }
};
MUST_FAIL_SCHEDULE(RegistersThatNobodyLacks, ({}), "x", "y")

}  // namespace must_fail
