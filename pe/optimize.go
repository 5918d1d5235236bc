package pe

import (
	"math"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// SGD takes one step: v = m v + dw, w = w - lr v. Without momentum there is no
// v, and w = w - lr dw.
func SGD(w, dw, v []float32, t network.Training) {
	m, rate := float32(t.Momentum), float32(t.LearningRate)
	for i, g := range dw {
		if v != nil {
			g = float32(m*v[i]) + g
			v[i] = g
		}
		w[i] -= float32(rate * g)
	}
}

// AdamStep takes one step of Adam (Kingma and Ba 2015), the first being number
// 1. moments is m, then v; each is evaluated in float64 and rounded once.
func AdamStep(w, dw, moments []float32, t network.Training, number int) {
	first, second := moments[:len(dw)], moments[len(dw):]
	correction1 := 1 - elementary.Power(t.Beta1, number)
	correction2 := 1 - elementary.Power(t.Beta2, number)
	for i, d := range dw {
		g := float64(d)
		first[i] = float32(float64(t.Beta1*float64(first[i])) + float64((1-t.Beta1)*g))
		second[i] = float32(float64(t.Beta2*float64(second[i])) + float64(float64((1-t.Beta2)*g)*g))
		step := t.LearningRate * (float64(first[i]) / correction1) / (math.Sqrt(float64(second[i])/correction2) + t.Epsilon)
		w[i] = float32(float64(w[i]) - step)
	}
}

// RMSprop takes one step of RMSprop (Tieleman and Hinton 2012) as PyTorch has it,
// without momentum: v = rho v + (1-rho) dw^2, w = w - lr dw/(sqrt(v) + eps). v and w
// are evaluated in float64 and rounded once.
func RMSprop(w, dw, v []float32, t network.Training) {
	for i, d := range dw {
		g := float64(d)
		v[i] = float32(float64(t.Rho*float64(v[i])) + float64(float64((1-t.Rho)*g)*g))
		step := t.LearningRate * g / (math.Sqrt(float64(v[i])) + t.Epsilon)
		w[i] = float32(float64(w[i]) - step)
	}
}
