module openray/bench/peers/load

go 1.23
