//go:build race

package tiling_test

// raceEnabled tells tests that the race detector makes them ten times slower.
const raceEnabled = true
