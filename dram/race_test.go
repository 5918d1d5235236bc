//go:build race

package dram

// raceEnabled tells tests that measure time that the race detector slows them.
const raceEnabled = true
