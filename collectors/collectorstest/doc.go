// Package collectorstest is the suite that every kind of check passes.
//
// A kind calls Run from one test and gives it three sorts of targets that it can start itself: one that answers well, one that never
// answers, and one that answers bytes which the kind chooses. The suite then shows that the kind
//
//   - describes itself: defaults that are valid numbers, metrics that the catalogue knows, words in both languages with the same placeholders;
//   - measures: a healthy target is OK, twice in a row and from several collectors at once, and what comes out is finite and announced;
//   - keeps its deadline on a silent target, and stops at once when it is cancelled;
//   - survives garbage: no panic, no hang, a reason in words;
//   - keeps secrets: neither the target's name, nor a reason, nor a detail shows one;
//   - cleans up: after Close no goroutine is left.
//
// A kind's test looks like this:
//
//	func TestSuite(t *testing.T) {
//		collectorstest.Run(t, collectorstest.Suite{
//			Kind: tcp.Kind(),
//			Healthy: func(t *testing.T) collectors.CheckConfig { … start a server, t.Cleanup(close), return a config … },
//			Silent:  func(t *testing.T) collectors.CheckConfig { … a listener that accepts and says nothing … },
//			Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig { … a server that answers these bytes … },
//			Answers: [][]byte{nil, {0}, []byte("HTTP/1.1 99999999999999999999"), …},
//			Secrets: []string{"hunter2"}, // every secret that one of the configs above holds
//		})
//	}
//
// A function may skip its test when this machine cannot serve its target: call Missing, which keeps the house's rule that nothing may be
// missing when VIGIA_TEST_ALL is 1.
package collectorstest
