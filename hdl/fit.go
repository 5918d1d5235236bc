package hdl

import "math/big"

// linear is a function fitted by least squares.
type linear []float64

func (l linear) at(x []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += float64(l[i] * v)
	}
	return max(0, sum)
}

// leastSquares returns the c for which the rows' products with c are nearest to
// y. It solves the normal equations in fractions and rounds once, so that the
// estimate is the same on every processor; ok is false if the rows do not
// determine c.
func leastSquares(rows [][]float64, y []float64) (c linear, ok bool) {
	size := len(rows[0])
	system := make([][]*big.Rat, size) // rows' rows c = rows' y, the right side last
	for i := range system {
		system[i] = make([]*big.Rat, size+1)
		for j := range system[i] {
			sum, product := new(big.Rat), new(big.Rat)
			for n, row := range rows {
				factor := y[n]
				if j < size {
					factor = row[j]
				}
				sum.Add(sum, product.Mul(fraction(row[i]), fraction(factor)))
			}
			system[i][j] = sum
		}
	}
	for i := range system {
		if !eliminate(system, i) {
			return nil, false
		}
	}
	for i := range system {
		x, _ := system[i][size].Float64()
		c = append(c, x)
	}
	return c, true
}

// eliminate makes column i of a system zero but for a one in row i.
func eliminate(system [][]*big.Rat, i int) bool {
	for n := i; system[i][i].Sign() == 0; n++ {
		if n+1 == len(system) {
			return false
		}
		system[i], system[n+1] = system[n+1], system[i]
	}
	pivot := new(big.Rat).Inv(system[i][i])
	for j := range system[i] {
		system[i][j].Mul(system[i][j], pivot)
	}
	for n, row := range system {
		if n == i || row[i].Sign() == 0 {
			continue
		}
		factor, product := new(big.Rat).Set(row[i]), new(big.Rat)
		for j := range row {
			row[j].Sub(row[j], product.Mul(factor, system[i][j]))
		}
	}
	return true
}

func fraction(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
