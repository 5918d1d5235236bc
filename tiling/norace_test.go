//go:build !race

package tiling_test

const raceEnabled = false
