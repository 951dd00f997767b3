// A host program's own use of oneTBB, beside the library's.
#pragma once

namespace gradus::test {

/// Hands an arena of the program's own `tasks` tasks, one after the other with pauses, and waits for each. False as soon as
/// one has not run within 5 s.
bool host_tasks_run(int tasks, bool high_priority);

}  // namespace gradus::test
