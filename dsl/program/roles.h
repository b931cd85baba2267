// The rules of roles that concern several operations of a program, each stated once: where roles stand, what may enter them, which role does what, and what is done with a tile that was received and with a
// product in flight.
#pragma once

#include "dsl/program/program.h"

namespace tilewright::program {

// Operations that only schedules have.
constexpr bool is_of_schedules(Opcode opcode) { return opcode >= Opcode::Roles && opcode <= Opcode::GroupWait; }

// Whether the program says how warps share the work.
bool has_roles(const Program& program);

// Throws tilewright::Error with the place of the operation that breaks a rule:
//   TW1601  a tile enters a role: it belongs to the threads that hold it
//   TW1602  an operation of another role, or of a role in none
//   TW1603  the producer has an effect beside Send and SendTile; or, without teams, for then it is one thread, works on tiles
//   TW1604  roles, channels or shared tiles in a region, a second Roles, or tiles and effects beside the roles
//   TW1605  a received tile is not given back exactly once, in the region it was received in and behind what reads it; or what was not received is;
//           or the producer reads something else than what it sent last to a channel
//   TW1607  the right operand of a product was not received
//   TW1606  a product in flight is not waited for exactly once, in its region; its left operand is in registers; something else than a wait uses it; or a wait is for something else
//   TW1610  teams take turns or have fences; or `team` without teams
//   TW1611  what is copied out was received; or beside copies to a parameter something else reads or writes it, a copy that does not add among such that do; or a fence stands beside copies
// A copy out (CopyOut) reads its shared tile later than it stands there. SharedStore to the tile waits for that; the end of the program waits for all. Nothing else has to: no other operation writes the tile, and none sees what is copied.
//   TW1609  a turn is not passed on in the region it was taken in, or is taken in a turn, or tiles are stored in it
// The program is well formed otherwise.
void check_roles(const Program& program);

}  // namespace tilewright::program
