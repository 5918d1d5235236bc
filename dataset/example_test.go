package dataset_test

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/dataset"
)

func ExampleOpen() {
	set, err := dataset.Open("cifar10-dvs", dataset.Options{Dir: "testdata/cifar10-dvs", Split: "test", Height: 32, Width: 32})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	var sample dataset.Sample
	if err := set.Read(3, &sample); err != nil {
		fmt.Println(err)
		return
	}
	spikes := 0
	for _, v := range sample.X {
		if v == 1 {
			spikes++
		}
	}
	fmt.Printf("%d samples of %d frames of %v\n", set.Len(), set.Timesteps, set.Shape)
	fmt.Printf("sample 3 is of class %d and has %d spikes\n", sample.Label, spikes)
	// Output:
	// 10 samples of 100 frames of 2x32x32
	// sample 3 is of class 3 and has 40 spikes
}
