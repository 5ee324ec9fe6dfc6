package main

import (
	"reflect"
	"testing"
)

// TestGoodFilesWithRealKinds loads the examples with the kinds of this program, so that what the language promises is what they read.
func TestGoodFilesWithRealKinds(t *testing.T) {
	setSecrets(t)
	for _, file := range []string{"example", "edges", "nothing", "notices"} {
		cfg, _, err := Load("testdata/good/"+file+".yaml", kinds())
		if err != nil {
			t.Errorf("%s is refused:\n%v", file, err)
			continue
		}
		checks, err := cfg.Checks()
		if err != nil {
			t.Error(err)
		}
		closeChecks(checks)
		if _, err := cfg.Receivers(ReceiverParts{}); err != nil {
			t.Error(err)
		}
	}
}

// TestKindsLeaveCommonKeysAlone: a kind whose own key is called like one that every check or receiver has would never get its value.
func TestKindsLeaveCommonKeysAlone(t *testing.T) {
	keys := func(v any) map[string]bool {
		out := map[string]bool{}
		for _, f := range fieldsOf(reflect.ValueOf(v).Elem()) {
			out[f.key] = true
		}
		return out
	}
	compare := func(kind string, common, own map[string]bool) {
		for key := range own {
			if common[key] {
				t.Errorf("the kind %s has a key %s of its own", kind, key)
			}
		}
	}
	for _, k := range kinds().Checks {
		compare(k.Name, keys(&CheckSpec{}), keys(k.New()))
	}
	for _, k := range kinds().Receivers {
		compare(k.Name, keys(&ReceiverSpec{}), keys(k.New()))
	}
}
