// Schedules with teams that break a rule, and lists in channels that are no such lists.
#include "dsl/nvidia/sm90.h"
#include "tests/dsl/must_fail/must_fail.h"

#include <optional>

namespace must_fail {

using namespace tilewright;

namespace {

// The parts that a schedule has beside its mistake.
struct Teams {
  Tune<int> warps{"warps", {1}};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }
};

nvidia::Channel lists() { return nvidia::channel(i32, {32}, 2); }

}  // namespace

struct TeamWithoutTeams : Teams {
  void schedule(nvidia::Sm90, In x, Out y) const {
    nvidia::roles({}, [&] {}, [&] { store(y, {nvidia::team(), 0}, load(x, {0, 0}, {64, 64})); });  // error[TW1610]:59 'team' without teams
  }
};
MUST_FAIL_SCHEDULE(TeamWithoutTeams, ({}), "x", "y")

struct TeamOfTheProducer : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({.teams = 8}, [&] { nvidia::send(tiles, x, {nvidia::team(), 0}); }, [&] {});  // error[TW1602]:75 'team' is not for the producer
  }
};
MUST_FAIL_SCHEDULE(TeamOfTheProducer, ({}), "x", "y")

struct TeamBesideRoles : Teams {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const Index team = nvidia::team();  // error[TW1602]:36 'team' is in no role
    nvidia::roles({.teams = 8}, [&] {}, [&] { store(y, {team, 0}, load(x, {0, 0}, {64, 64})); });
  }
};
MUST_FAIL_SCHEDULE(TeamBesideRoles, ({}), "x", "y")

struct TeamsInTurns : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Turns turns = nvidia::turns();  // error[TW1610]:46 'turns' with teams
    nvidia::roles({.teams = 8}, [&] {}, [&] {
      nvidia::take_turn(turns);
      nvidia::pass_turn(turns);
    });
  }
};
MUST_FAIL_SCHEDULE(TeamsInTurns, ({}), "x", "y")

struct TeamsWithFences : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.teams = 8}, [&] {}, [&] { fence(Order::Release); });  // error[TW1610]:52 'fence' with teams
  }
};
MUST_FAIL_SCHEDULE(TeamsWithFences, ({}), "x", "y")

struct WideTeams : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.teams = 2}, [&] {}, [&] {});  // error[TW1610]:18 2 teams of 8 warps: a team has 1, 2 or 4 warps
  }
};
MUST_FAIL_SCHEDULE(WideTeams, ({{"warps", 8}}), "x", "y")

struct OddTeams : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.teams = 6}, [&] {}, [&] {});  // error[TW1610]:18 6 warps are no multiple of 4
  }
};
MUST_FAIL_SCHEDULE(OddTeams, ({}), "x", "y")

struct ManyTeams : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.teams = 8}, [&] {}, [&] {});  // error[TW1610]:18 with the producer's four they are more than 32
  }
};
MUST_FAIL_SCHEDULE(ManyTeams, ({{"warps", 4}}), "x", "y")

struct NegativeTeams : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.teams = -4}, [&] {}, [&] {});  // error[TW1610]:18 a number of teams is positive
  }
};
MUST_FAIL_SCHEDULE(NegativeTeams, ({}), "x", "y")

struct RegistersOfTeams : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::roles({.producer = 32, .consumers = 168, .teams = 12}, [&] {}, [&] {});  // error[TW1608]:18 with 12 warps and the producer's four the block has 65536 registers, and they would take 68608
  }
};
MUST_FAIL_SCHEDULE(RegistersOfTeams, ({}), "x", "y")

struct FewRowsOfATeam : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {32, 64}, 2);
    nvidia::roles({.teams = 3}, [&] {}, [&] {
      const nvidia::SharedTile tile = nvidia::receive(tiles);
      nvidia::group_dot(tile, nvidia::trans(tile), zeros(f32, {32, 32}));  // error[TW1607]:24 32 rows, no multiple of 16 for each of 4 warps
    });
  }
};
MUST_FAIL_SCHEDULE(FewRowsOfATeam, ({{"warps", 4}}), "x", "y")

struct ProducerOfTeamsStores : Teams {
  void schedule(nvidia::Sm90, In x, Out y) const {
    nvidia::roles({.teams = 8}, [&] { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }, [&] {});  // error[TW1603]:44 'store' in the producer
  }
};
MUST_FAIL_SCHEDULE(ProducerOfTeamsStores, ({}), "x", "y")

struct ProducerOfTeamsChecks : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    nvidia::roles({.teams = 8}, [&] { check(load(x, {0, 0}, {64, 64}) == 0, "zeros"); }, [&] {});  // error[TW1603]:44 'check' in the producer
  }
};
MUST_FAIL_SCHEDULE(ProducerOfTeamsChecks, ({}), "x", "y")

struct ProducerOfTeamsActsOnTiles {
  Tune<int> warps{"warps", {1}};
  Grid grid(In) const { return {1}; }
  void body(In x, InOut y) const { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }
  void schedule(nvidia::Sm90, In, InOut y) const {
    nvidia::roles({.teams = 8}, [&] { atomic_add(y, {0, 0}, full(y.dtype(), {1, 1}, 1)); }, [&] {});  // error[TW1603]:49 'atomic' in the producer
  }
};
MUST_FAIL_SCHEDULE(ProducerOfTeamsActsOnTiles, ({}), "x", "y")

struct TilesOfOneThread : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Channel all = lists();
    nvidia::roles({}, [&] { nvidia::send(all, arange(32)); }, [&] {});  // error[TW1603]:53 'arange' of a tile in the producer
  }
};
MUST_FAIL_SCHEDULE(TilesOfOneThread, ({}), "x", "y")

struct ConsumersSendLists : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Channel all = lists();
    nvidia::roles({.teams = 8}, [&] {}, [&] { nvidia::send(all, arange(32)); });  // error[TW1602]:59 'send' is not for consumers
  }
};
MUST_FAIL_SCHEDULE(ConsumersSendLists, ({}), "x", "y")

struct ListEntersConsumers : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Channel all = lists();
    std::optional<nvidia::SharedTile> sent;
    nvidia::roles({.teams = 8}, [&] { sent = nvidia::send(all, arange(32)); }, [&] { nvidia::read(*sent); });  // error[TW1401]:98 a value is used outside the region it was made in
  }
};
MUST_FAIL_SCHEDULE(ListEntersConsumers, ({}), "x", "y")

struct ReleasesWhatItSent : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Channel all = lists();
    nvidia::roles({.teams = 8}, [&] { nvidia::release(nvidia::send(all, arange(32))); }, [&] {});  // error[TW1605]:54 'release' of a tile by the producer that sent it
  }
};
MUST_FAIL_SCHEDULE(ReleasesWhatItSent, ({}), "x", "y")

struct ProducerReadsAnothersTile : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::SharedTile kept = nvidia::shared_tile(x.dtype(), {64, 64});
    const nvidia::Channel sums = nvidia::channel(f32, {64}, 2);
    nvidia::roles({.teams = 8}, [&] { nvidia::send(sums, sum(cast(nvidia::read(kept), f32), 1)); }, [&] {});  // error[TW1605]:79 'read' of a tile that the producer did not send
  }
};
MUST_FAIL_SCHEDULE(ProducerReadsAnothersTile, ({}), "x", "y")

struct ReadsBehindTheNextSend : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel all = lists(), tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({.teams = 8}, [&] {
      const nvidia::SharedTile first = nvidia::send(all, arange(32));
      when(x.size(0) > 64, [&] { nvidia::send(all, arange(32, 32)); });
      nvidia::send(tiles, x, {nvidia::element(first, 0), 0});  // error[TW1605]:46 'element' of a tile that was sent, behind the next one to its channel
    }, [&] {});
  }
};
MUST_FAIL_SCHEDULE(ReadsBehindTheNextSend, ({}), "x", "y")

struct ReadsInTheNextTurn : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel all = lists(), tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({.teams = 8}, [&] {
      const nvidia::SharedTile first = nvidia::send(all, arange(32));
      for (Index i : range(0, 4)) {
        nvidia::send(tiles, x, {nvidia::element(first, i), 0});  // error[TW1605]:48 'element' of a tile that was sent, behind the next one to its channel
        nvidia::send(all, arange(32, 32));
      }
    }, [&] {});
  }
};
MUST_FAIL_SCHEDULE(ReadsInTheNextTurn, ({}), "x", "y")

struct ListOfHalves : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    nvidia::channel(x.dtype(), {64}, 2);  // error[TW1607]:20 a list of bf16 in a channel
  }
};
MUST_FAIL_SCHEDULE(ListOfHalves, ({}), "x", "y")

struct LongList : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::channel(i32, {4097}, 2);  // error[TW1607]:20 a list of 4097 elements in a channel
  }
};
MUST_FAIL_SCHEDULE(LongList, ({}), "x", "y")

struct ListOfTheConsumers : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    nvidia::shared_tile(bf16, {64});  // error[TW1607]:24 matrices alone lie in shared memory
  }
};
MUST_FAIL_SCHEDULE(ListOfTheConsumers, ({}), "x", "y")

struct BoxToAList : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel all = lists();
    nvidia::roles({.teams = 8}, [&] { nvidia::send(all, x, {0, 0}); }, [&] {});  // error[TW1607]:51 'send' of a box to channel<2, 32xi32>
  }
};
MUST_FAIL_SCHEDULE(BoxToAList, ({}), "x", "y")

struct TileToMatrices : Teams {
  void schedule(nvidia::Sm90, In x, Out) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({.teams = 8}, [&] { nvidia::send(tiles, load(x, {0, 0}, {64, 64})); }, [&] {});  // error[TW1607]:51 'send' of a tile to channel<2, 64x64xbf16>
  }
};
MUST_FAIL_SCHEDULE(TileToMatrices, ({}), "x", "y")

struct ListOfAnotherDtype : Teams {
  void schedule(nvidia::Sm90, In, Out) const {
    const nvidia::Channel all = lists();
    nvidia::roles({.teams = 8}, [&] { nvidia::send(all, arange(32, 0, i64)); }, [&] {});  // error[TW1607]:51 'send' of 32xi64 to channel<2, 32xi32>
  }
};
MUST_FAIL_SCHEDULE(ListOfAnotherDtype, ({}), "x", "y")

struct ElementOfAMatrix : Teams {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({.teams = 8}, [&] {}, [&] {
      const nvidia::SharedTile tile = nvidia::receive(tiles);
      store(y, {0, 0}, nvidia::element(tile, 0));  // error[TW1607]:39 'element' of shared<64x64xbf16>
      nvidia::release(tile);
    });
  }
};
MUST_FAIL_SCHEDULE(ElementOfAMatrix, ({}), "x", "y")

struct ReadsWhatItGaveBack : Teams {
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({.teams = 8}, [&] {}, [&] {
      const nvidia::SharedTile tile = nvidia::receive(tiles);
      nvidia::release(tile);
      store(y, {0, 0}, nvidia::read(tile));  // error[TW1605]:36 'read' reads a tile that was given back
    });
  }
};
MUST_FAIL_SCHEDULE(ReadsWhatItGaveBack, ({}), "x", "y")

}  // namespace must_fail
