using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Bench;
using Granary.Support;

// One run of everything, or of the figures that are named. Rounds: GRANARY_ROUNDS (3).
string[] all = ["produce", "small", "latency", "fetch", "commits", "http", "groups", "classic", "heartbeats", "idle", "failover", "scaling"];
var wanted = args.Length == 0 ? all : args;
if (wanted.FirstOrDefault(name => !all.Contains(name)) is { } unknown)
{
    Console.Error.WriteLine($"unknown figure '{unknown}': there are {string.Join(", ", all)}");
    return 2;
}

const int Partitions = 6;
var rounds = int.TryParse(Environment.GetEnvironmentVariable("GRANARY_ROUNDS"), out var asked) ? asked : 3;
var table = new ResultTable();
if (wanted.Any(name => name is not ("groups" or "classic" or "heartbeats" or "idle" or "failover" or "scaling")))
{
    await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
    await WarmAsync(silo);
    for (var round = 1; round <= rounds; round++)
    {
        Console.Error.WriteLine($"round {round} of {rounds}");
        if (wanted.Contains("produce"))
            await ProduceAsync(silo, table);
        if (wanted.Contains("small"))
        {
            var topic = await TopicAsync(silo);
            var shares = new ProcessorShares(silo);
            var small = ProduceThroughput.Run(silo.KafkaBootstrap, topic, Partitions, 100, 6_000_000);
            table.Add("produce 100 B records", "records/s", small.RecordsPerSecond, "300,000", shares.SinceThen());
        }

        if (wanted.Contains("latency"))
            await LatencyAsync(silo, table);
        if (wanted.Contains("fetch"))
            await FetchAsync(silo, table);
        if (wanted.Contains("commits"))
            await CommitsAsync(silo, table);
        if (wanted.Contains("http"))
            await HttpAsync(silo, table);
    }
}

if (wanted.Contains("groups"))
    await GroupLoad.RunAsync(table);
if (wanted.Contains("classic"))
    await ClassicRebalance.RunAsync(table, rounds);
if (wanted.Contains("heartbeats"))
    await HeartbeatLoad.RunAsync(table);
if (wanted.Contains("idle"))
    await IdlePartitions.RunAsync(table);
if (wanted.Contains("failover"))
    await Failover.RunAsync(table);
if (wanted.Contains("scaling"))
    await Scaling.RunAsync(table, rounds);
table.Print(Console.Out);
return 0;

// What a server does in its first seconds is the runtime's compiler's work: it is not measured.
static async Task WarmAsync(SiloProcess silo)
{
    var topic = await TopicAsync(silo);
    ProduceThroughput.Run(silo.KafkaBootstrap, topic, Partitions, 1_000, 100_000);
    SteadyLatency.Run(silo.KafkaBootstrap, topic, Partitions, 1_000, 1_000, TimeSpan.FromSeconds(10));
}

static async Task ProduceAsync(SiloProcess silo, ResultTable table)
{
    const long bytes = 600_000_000;
    var floor = await Floor.CopyAsync(silo.PostgresConnectionString, bytes, bytes);
    table.Add("floor: one COPY, one commit", "MB/s", floor);
    table.Add("floor: COPY, a commit per MB", "MB/s", await Floor.CopyAsync(silo.PostgresConnectionString, bytes, 1_000_000));
    var topic = await TopicAsync(silo);
    var shares = new ProcessorShares(silo);
    var produced = ProduceThroughput.Run(silo.KafkaBootstrap, topic, Partitions, 1_000, bytes / 1_000);
    table.Add("produce 1 KB records", "MB/s", produced.MegabytesPerSecond, shares: shares.SinceThen());
    table.Add("produce 1 KB / floor", "ratio", produced.MegabytesPerSecond / floor, "0.7");
}

static async Task LatencyAsync(SiloProcess silo, ResultTable table)
{
    var topic = await TopicAsync(silo);
    var shares = new ProcessorShares(silo);
    var (produce, endToEnd) = SteadyLatency.Run(silo.KafkaBootstrap, topic, Partitions, 1_000, 1_000, TimeSpan.FromSeconds(15));
    var used = shares.SinceThen();
    table.Add("produce latency p50", "ms", produce.Percentile(0.5), "2", used);
    table.Add("produce latency p99", "ms", produce.Percentile(0.99), "10");
    table.Add("end to end p50", "ms", endToEnd.Percentile(0.5), "3");
    table.Add("end to end p99", "ms", endToEnd.Percentile(0.99), "12");
}

static async Task CommitsAsync(SiloProcess silo, ResultTable table)
{
    const int perSecond = 5_000;
    var topic = await TopicAsync(silo);
    var shares = new ProcessorShares(silo);
    var (latencies, sustained) = await CommitLatency.RunAsync(silo.KafkaBootstrap, topic, Partitions, perSecond, TimeSpan.FromSeconds(15));
    table.Add("offset commits, durable", "commits/s", sustained, "5,000", shares.SinceThen());
    table.Add("offset commit p50 at 5,000/s", "ms", latencies.Percentile(0.5));
    table.Add("offset commit p99 at 5,000/s", "ms", latencies.Percentile(0.99), "50");
}

static async Task HttpAsync(SiloProcess silo, ResultTable table)
{
    var topic = await TopicAsync(silo);
    await HttpLatency.RunAsync(silo.HttpUrl, topic, 500, TimeSpan.FromSeconds(5));
    var shares = new ProcessorShares(silo);
    var (latencies, sustained) = await HttpLatency.RunAsync(silo.HttpUrl, topic, 2_000, TimeSpan.FromSeconds(15));
    table.Add("HTTP, single-record produces", "/s", sustained, "2,000", shares.SinceThen());
    table.Add("HTTP produce p50 at 2,000/s", "ms", latencies.Percentile(0.5));
    table.Add("HTTP produce p99 at 2,000/s", "ms", latencies.Percentile(0.99), "50");
}

static async Task FetchAsync(SiloProcess silo, ResultTable table)
{
    var tail = await TopicAsync(silo);
    ProduceThroughput.Run(silo.KafkaBootstrap, tail, Partitions, 1_000, 100_000);
    await FetchOfAsync(silo, table, "fetch from the tail", tail, "500");

    // Cold: more than the tail cache holds was written since.
    var cold = await TopicAsync(silo);
    ProduceThroughput.Run(silo.KafkaBootstrap, cold, Partitions, 1_000, 300_000);
    ProduceThroughput.Run(silo.KafkaBootstrap, await TopicAsync(silo), Partitions, 1_000, 500_000);
    await FetchOfAsync(silo, table, "fetch of cold history", cold, "200");
}

static async Task FetchOfAsync(SiloProcess silo, ResultTable table, string name, string topic, string goal)
{
    var shares = new ProcessorShares(silo);
    table.Add($"{name}, raw socket", "MB/s", await RawFetch.RunAsync(silo.KafkaBootstrap, topic, Partitions), goal, shares.SinceThen());
    shares = new ProcessorShares(silo);
    table.Add($"{name}, Confluent.Kafka", "MB/s", FetchThroughput.ByConfluent(silo.KafkaBootstrap, topic, Partitions), shares: shares.SinceThen());
}

static async Task<string> TopicAsync(SiloProcess silo)
{
    var name = $"bench-{Guid.NewGuid():N}";
    using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = silo.KafkaBootstrap }).Build();
    await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = Partitions, ReplicationFactor = 1 }]);
    return name;
}
