package golden

// fireReal is fireLayer for spikes that are real numbers.
func (t *Trainer) fireReal(worker, b int, sum, u, previous []float32) {}

func (t *Trainer) realRates(c *classifier, b int) []float64 { return nil }
