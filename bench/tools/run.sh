# Builds the tools where they are older than their sources, and runs them. Sourced by the scripts in bench.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# bench [PREFIX...] -- COMMAND...
bench() {
  local prefix=()
  while [[ $1 != -- ]]; do
    prefix+=("$1")
    shift
  done
  shift
  local jar=$root/target/benchmarks.jar
  if [[ ! -e $jar || -n $(find "$root/pom.xml" "$root/src/main" "$root/bench" -newer "$jar" -name '*.*' ! -name '*.md' -type f -print -quit) ]]; then
    (cd "$root" && mvn -q -Pbench,fast package) >&2
  fi
  exec "${prefix[@]}" java -XX:+UseParallelGC -Xms512m -Xmx1g -XX:MaxDirectMemorySize=2g \
    -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -Dio.netty.allocator.type=pooled -Dio.netty.leakDetection.level=disabled \
    -cp "$jar:$root/target/drover.jar" io.drover.bench.BenchCommand "$@"
}
