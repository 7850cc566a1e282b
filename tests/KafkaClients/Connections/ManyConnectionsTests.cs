using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using Granary.Support.Kafka;

namespace Granary.KafkaClients.Connections;

/// <summary>Nothing else runs beside it: it takes most of what file descriptors there are, and measures.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

/// <summary>Ten thousand connections to one silo, nearly all of them silent.</summary>
[Collection(AloneCollection.Name)]
public sealed class ManyConnectionsTests(ITestOutputHelper output)
{
    private const int Wanted = 10_000;
    private const int BusyClients = 4;
    private const int OneTooMany = 20;

    /// <summary>Files that a silo opens as it goes on: sessions of PostgreSQL, libraries. A reset socket that leaks is seen only as a file.</summary>
    private const int OtherFiles = 50;

    /// <summary>Where fewer files may be open than this, half of them are used.</summary>
    private const int EnoughFiles = 25_000;

    /// <summary>A silent connection holds no buffers: its socket, its objects and a task are a few kilobytes.</summary>
    private const long MaxBytesPerConnection = 40_000;

    private static readonly TimeSpan s_prompt = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task TenThousandConnections_HinderNobody_AndLeaveNothing()
    {
        Assert.SkipUnless(ProcessFacts.AreHere, "there is no /proc here to count file descriptors by");
        var limit = ProcessFacts.MaxOpenFiles();
        var count = limit >= EnoughFiles ? Wanted : Math.Min(Wanted, limit / 2);
        output.WriteLine($"{limit} files may be open: {count} connections");
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { Settings = new Dictionary<string, string> { ["Granary__Kafka__MaxConnections"] = $"{count}" } });
        var endPoint = IPEndPoint.Parse(silo.KafkaBootstrap);
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, BusyClients);
        var busy = await Task.WhenAll(Enumerable.Range(0, BusyClients).Select(number => BusyClient.StartAsync(endPoint, topic, number)));
        await UntilAsync(() => busy.All(client => client.Rounds > 3));
        var filesBefore = ProcessFacts.OpenFiles(silo.ProcessId);
        var bytesBefore = ProcessFacts.ResidentBytes(silo.ProcessId);

        var opening = Stopwatch.StartNew();
        var silent = await OpenAsync(endPoint, count - BusyClients);
        await UntilAsync(() => ProcessFacts.AcceptedConnections(endPoint) == count);
        output.WriteLine($"opened in {opening.Elapsed.TotalSeconds:0.0} s");
        var bytesEach = (ProcessFacts.ResidentBytes(silo.ProcessId) - bytesBefore) / count;
        await AssertRefusedAsync(endPoint);
        foreach (var client in silent.Where((_, index) => index % 100 == 0))
            Assert.NotEmpty((await client.ApiVersionsAsync(3)).ApiKeys);
        var rounds = busy.Sum(client => client.Rounds);
        await UntilAsync(() => busy.Sum(client => client.Rounds) > rounds + 20);
        foreach (var client in busy)
            await client.StopAsync();
        output.WriteLine($"{busy.Sum(client => client.Rounds)} rounds of produce and fetch meanwhile, the longest {busy.Max(client => client.Longest).TotalMilliseconds:0} ms; {bytesEach:N0} bytes of the silo's memory each");

        await CloseAsync(silent, busy);
        await UntilAsync(() => ProcessFacts.AcceptedConnections(endPoint) == 0);
        await UntilAsync(() => ProcessFacts.OpenFiles(silo.ProcessId) <= filesBefore + OtherFiles);

        output.WriteLine($"all closed after {opening.Elapsed.TotalSeconds:0.0} s");
        await using (var next = await KafkaWire.ConnectAsync(endPoint))
            Assert.NotEmpty((await next.ApiVersionsAsync(3)).ApiKeys);
        Assert.All(busy, client => Assert.InRange(client.Longest, TimeSpan.Zero, s_prompt));
        Assert.True(bytesEach <= MaxBytesPerConnection, $"a silent connection takes {bytesEach} bytes, more than {MaxBytesPerConnection}");
        Assert.DoesNotContain("fail:", silo.Output, StringComparison.Ordinal);
    }

    private static async Task<KafkaWire[]> OpenAsync(IPEndPoint silo, int count)
    {
        var open = new ConcurrentBag<KafkaWire>();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, cancellation) => open.Add(await KafkaWire.ConnectAsync(silo, cancellation)));
        return [.. open];
    }

    /// <summary>One more than there may be is closed at once, without a word.</summary>
    private static async Task AssertRefusedAsync(IPEndPoint silo)
    {
        using var patience = new CancellationTokenSource(s_patience);
        for (var number = 0; number < OneTooMany; number++)
        {
            await using var refused = await KafkaWire.ConnectAsync(silo, patience.Token);
            Assert.Null(await refused.ReceiveAsync(patience.Token));
        }
    }

    /// <summary>Every other client leaves as it should, the rest as a machine that dies: by a reset.</summary>
    private static async Task CloseAsync(KafkaWire[] silent, BusyClient[] busy)
    {
        for (var index = 0; index < silent.Length; index++)
        {
            if (index % 2 == 0)
                silent[index].Socket.LingerState = new LingerOption(true, 0);
            await silent[index].DisposeAsync();
        }

        foreach (var client in busy)
            await client.DisposeAsync();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(s_patience);
        while (!condition())
            await Task.Delay(50, patience.Token);
    }
}
