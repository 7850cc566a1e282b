using System.Diagnostics;
using Granary.Chaos.Clients;
using Granary.Chaos.Faults;
using Granary.Chaos.Groups;
using Granary.Support;
using Granary.Support.Histories;

namespace Granary.Chaos;

/// <summary>
/// One run: a cluster with gateways at its edge, clients of both, the faults of a seed; then all is healed, everything must go on, all logs are read from start to end,
/// and the history is checked.
/// </summary>
internal sealed class ChaosRun(ChaosSettings settings, Action<string> say)
{
    private const int TrimmerNumber = 99;
    private const int FirstReader = 100;
    private const int FirstMember = 1_000;
    private const int MembersOfGroup = 10_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_endPatience = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan s_forEver = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_readerLifetime = TimeSpan.FromSeconds(3);

    /// <summary>Groups find out about their members faster than by default: the run is short.</summary>
    private static readonly Dictionary<string, string> s_settings = new()
    {
        ["Granary__Groups__MinSessionTimeout"] = $"{GroupTopic.SessionTimeout}",
        ["Granary__ConsumerGroups__SessionTimeout"] = $"{GroupTopic.SessionTimeout}",
        ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.500",
    };

    private readonly List<string> _failures = [];

    /// <summary>What was wrong; empty where nothing was. The history is kept in any case: its deletion is the caller's.</summary>
    public async Task<List<string>> ExecuteAsync()
    {
        Directory.CreateDirectory(settings.Folder);
        foreach (var old in Directory.GetFiles(settings.Folder))
            File.Delete(old);
        say($"seed {settings.Seed}, {settings.Silos} silos, {(settings.Duration is { } time ? $"{time}" : "every kind of fault once")}, {(settings.Cuts ? "with" : "without")} cut links; history in {settings.Folder}");
        var path = Path.Combine(settings.Folder, "history.txt");
        using (var history = new HistoryFile(path))
        {
            using var networks = settings.Cuts ? SiloNetworks.Create(settings.Silos) : null;
            await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions
            {
                Silos = settings.Silos,
                LogFolder = settings.Folder,
                Networks = networks,
                Settings = s_settings,
            });
            await RunAsync(cluster, networks, history);
        }

        var clock = Stopwatch.StartNew();
        _failures.AddRange(HistoryChecker.Check(HistoryFile.Read(path)));
        say($"checked in {clock.Elapsed.TotalSeconds:0.0} s: {(_failures.Count == 0 ? "clean" : $"{_failures.Count} failures")}");
        await File.WriteAllLinesAsync(Path.Combine(settings.Folder, "failures.txt"), _failures);
        return _failures;
    }

    /// <summary>What librdkafka says of where it fetches and of its groups, with the history's times, where GRANARY_CHAOS_CLIENT_LOGS=1 asks for it: hundreds of lines a second.</summary>
    private Action<string>? ClientLog(HistoryFile history)
    {
        if (Environment.GetEnvironmentVariable("GRANARY_CHAOS_CLIENT_LOGS") != "1")
            return null;
        var file = TextWriter.Synchronized(new StreamWriter(Path.Combine(settings.Folder, "clients.log")) { AutoFlush = true });
        return line => file.WriteLine($"{history.Now} {line}");
    }

    private async Task RunAsync(ClusterProcess cluster, SiloNetworks? networks, HistoryFile history)
    {
        var topic = (await ChaosTopic.CreateAsync(cluster.KafkaBootstrap, settings.Partitions)) with { ClientLog = ClientLog(history) };
        await using var service = await ClusterClient.ConnectAsync(cluster);
        await using var edges = await EdgeGateways.StartAsync(cluster);
        var atEdges = topic with { Bootstrap = edges.Bootstrap };
        var progress = new Progress(settings.KafkaProducers + 2, settings.Partitions);
        IChaosClient[] producers = [
            .. Enumerable.Range(0, settings.KafkaProducers).Select(number => new KafkaProducer(number, topic, history, progress, settings.Pace)),
            new GrainProducer(settings.KafkaProducers, topic, history, progress, settings.Pace, service.Grains),
            new KafkaProducer(settings.KafkaProducers + 1, atEdges, history, progress, settings.Pace),
            new Trimmer(TrimmerNumber, topic, history, service.Grains),
        ];
        IChaosClient[] readers = [
            new KafkaReader(FirstReader, topic, history, s_forEver),
            new KafkaReader(FirstReader + 1, topic, history, s_readerLifetime),
            new GrainReader(FirstReader + 2, topic, history, service.Grains),
            new WireReader(FirstReader + 4, topic, history),
            new KafkaReader(FirstReader + 5, atEdges, history, s_forEver),
            new WatermarkAsker(FirstReader + 3, topic, history, service.Grains),
            .. settings.Groups.Select((protocol, number) => new GroupClient(
                new GroupTopic(topic, number, protocol), FirstMember + (number * MembersOfGroup), settings.Seed + number, history, service.Grains)),
        ];
        try
        {
            _failures.AddRange(await progress.AwaitMoreAsync(1, s_patience));
            var times = new FailoverTimes(progress);
            await using var nemesis = new Nemesis(cluster, edges.Gateways, networks, history, times);
            await nemesis.RunAsync(new FaultPlan(settings.Seed, settings.Silos, networks is not null), settings.Duration);
            say(string.Join(", ", nemesis.Struck.OrderBy(struck => struck.Key).Select(struck => $"{struck.Key} {struck.Value}")));
            say($"{times}");
            if (producers.All(client => client.Failure is null))
                _failures.AddRange((await progress.AwaitMoreAsync(20, s_patience)).Select(missing => $"after the last fault was healed {missing} within {s_patience}"));
            await FinishAsync(producers, []);
            var ends = topic.Ends();
            await FinishAsync(readers, ends);
            topic.WriteFound(history);

            // Only now: silos may not end while all is read either.
            _failures.AddRange(nemesis.Failures);
            say(nemesis.Ends);
            say($"{progress.Total} acknowledged, {ends.Sum()} in the logs; longest time that a partition acknowledged nothing: {progress.LongestGap.TotalSeconds:0.0} s");
        }
        finally
        {
            await Task.WhenAll(producers.Concat(readers).Select(client => EndAsync(client, client.DisposeAsync().AsTask())));
        }
    }

    private async Task FinishAsync(IChaosClient[] clients, IReadOnlyList<long> ends)
    {
        await Task.WhenAll(clients.Select(client => EndAsync(client, Task.Run(() => client.FinishAsync(ends)))));
        _failures.AddRange(clients.Select(client => client.Failure).OfType<string>());
    }

    /// <summary>A client that does not come to its end is a failure, and does not hold up the rest.</summary>
    private async Task EndAsync(IChaosClient client, Task ending)
    {
        if (await Task.WhenAny(ending, Task.Delay(s_endPatience)) == ending)
            await ending;
        else
            Fail($"{client.GetType().Name} does not end");
    }

    private void Fail(string what)
    {
        lock (_failures)
            _failures.Add(what);
    }
}
