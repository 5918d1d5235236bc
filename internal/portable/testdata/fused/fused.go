// Package fused is wrong in both ways that the check of machine code looks for.
package fused

import "math"

// Sum may be fused.
func Sum(x, y, z float64) float64 {
	return x*y + z
}

// Guarded may not.
func Guarded(x, y, z float64) float64 {
	return float64(x*y) + z
}

// Exponential is each processor's own.
func Exponential(x float64) float64 {
	return math.Exp(x)
}
