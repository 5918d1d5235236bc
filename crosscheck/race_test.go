//go:build race

package crosscheck

// raceEnabled tells tests that the race detector makes them ten times slower.
const raceEnabled = true
