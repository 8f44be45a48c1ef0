package edgeward.world

now := time.now_ns()

chance := [rand.intn("a", 1000000), rand.intn("a", 1000000), rand.intn("b", 1000000)]

token := io.jwt.decode_verify(input.token, {"secret": "secret"})
