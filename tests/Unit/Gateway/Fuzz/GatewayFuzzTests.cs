using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Granary.Grains.Topics;
using Granary.Support.Kafka;
using Granary.Unit.Gateway.Kafka;
using Granary.Unit.Tidy;
using Granary.Unit.Wire;

namespace Granary.Unit.Gateway.Fuzz;

/// <summary>Nothing else runs beside these: they count what the process allocates.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

/// <summary>
/// Real frames, whole and spoiled, against the real listener before partitions in memory. It answers well-formed or closes, logs no error,
/// takes memory in proportion, and goes on serving others. GRANARY_FUZZ_MINUTES makes the run longer, GRANARY_SEED repeats one (`./dev fuzz`).
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class GatewayFuzzTests(ITestOutputHelper output)
{
    private const int FramesPerRound = 2_500;
    private const int MaxFrameBytes = 1_000_000;

    /// <summary>What one connection may cost: the largest frame that it may announce, buffers, and what a small question may make of all topics' configs.</summary>
    private const long MaxAllocatedBytes = 4_000_000;

    /// <summary>What each sent byte may cost beyond that: a reply's element, and its objects.</summary>
    private const long MaxAllocatedBytesPerByte = 250;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private long _mostAllocated;
    private long _answered;

    [Fact]
    public async Task EveryApiAndVersion_FedARealFrame_IsAnsweredWellFormed()
    {
        Assert.SkipWhen(Vectors.All is null, VectorFiles.Missing);
        await using var gateway = await StartAsync();
        var unanswered = gateway.Apis.All.SelectMany(api => Enumerable.Range(api.LowestVersion, api.HighestVersion - api.LowestVersion + 1).Select(version => (api.Key, (short)version))).ToHashSet();
        var frames = RealFrames.Of(gateway.Apis);

        foreach (var frame in frames)
            unanswered.ExceptWith(await FeedAsync(gateway, frame.Bytes, frame.Source));

        output.WriteLine($"{frames.Count} frames");
        Assert.Empty(unanswered);
        Assert.Empty(gateway.Log.Errors);
        Assert.Empty(gateway.Log.Warnings);
    }

    [Fact]
    public async Task Listener_FedSpoiledFrames_AnswersWellFormedOrCloses()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GRANARY_SEED"), out var given) ? given : Random.Shared.Next();
        _ = double.TryParse(Environment.GetEnvironmentVariable("GRANARY_FUZZ_MINUTES"), CultureInfo.InvariantCulture, out var minutes);
        output.WriteLine($"seed {seed}");
        var elapsed = Stopwatch.StartNew();
        var rounds = 0;
        do
        {
            // Each round has the next seed and a gateway of its own: what is found is found again in one round.
            await RunRoundAsync(unchecked(seed + rounds++));
        }
        while (elapsed.Elapsed < TimeSpan.FromMinutes(minutes));

        output.WriteLine($"{rounds} rounds of {FramesPerRound} frames in {elapsed.Elapsed.TotalSeconds:0} s, {_answered} replies, at most {_mostAllocated:N0} bytes allocated for a frame");
    }

    private async Task RunRoundAsync(int seed)
    {
        var random = new Random(seed);
        await using var gateway = await StartAsync();
        await using var witness = await gateway.ConnectAsync();
        var frames = RealFrames.Of(gateway.Apis);
        for (var index = 0; index < FramesPerRound; index++)
        {
            var bytes = FrameMutation.Spoil(frames[index % frames.Count].Bytes, frames[random.Next(frames.Count)].Bytes, random);
            gateway.Cluster.AddTopic(TameRequest.Topic, TameRequest.Partitions, TameRequest.TopicId);
            await FeedAsync(gateway, bytes, $"seed {seed}, frame {index} ({frames[index % frames.Count].Source})");
            if (index % 100 > 0)
                continue;
            Assert.NotEmpty((await witness.ApiVersionsAsync(3, TestContext.Current.CancellationToken)).ApiKeys);
            Assert.True(!gateway.Log.Errors.Any(), $"seed {seed}, up to frame {index}: {gateway.Log.Errors.FirstOrDefault()}");
        }

        Assert.True(!gateway.Log.Errors.Any(), $"seed {seed}: {gateway.Log.Errors.FirstOrDefault()}");
        await Eventually.TrueAsync(() => gateway.Listener.Connections == 1);
        Assert.Equal(0, gateway.Memory.Requests.TakenBytes);
        Assert.Equal(0, gateway.Memory.Replies.HeldBytes);
    }

    /// <summary>Sends bytes on a connection of their own, and takes what comes until the listener closes it; what was answered.</summary>
    private async Task<List<(short Key, short Version)>> FeedAsync(TestGateway gateway, byte[] bytes, string what)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(s_patience);
        var expected = new ExpectedReplies(bytes, gateway.Apis);
        var replies = new List<byte[]>();
        var before = GC.GetTotalAllocatedBytes();
        try
        {
            await using var client = await gateway.ConnectAsync();
            await SendAllAsync(client, bytes, patience.Token);
            while (await client.ReceiveAsync(patience.Token) is { } reply)
                replies.Add(reply);
            var allocated = GC.GetTotalAllocatedBytes() - before;
            _mostAllocated = Math.Max(_mostAllocated, allocated);
            Assert.InRange(allocated, 0, MaxAllocatedBytes + (bytes.Length * MaxAllocatedBytesPerByte));
            _answered += replies.Count;
            return replies.ConvertAll(expected.Take);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{what}, {Convert.ToHexStringLower(bytes)}: {failure.Message}", failure);
        }
    }

    private static async Task SendAllAsync(KafkaWire client, byte[] bytes, CancellationToken cancellation)
    {
        try
        {
            await client.SendBytesAsync(bytes, cancellation);
            client.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The listener has closed at the first frames while the last were on their way.
        }
    }

    private static async Task<TestGateway> StartAsync()
    {
        var cluster = new FakeCluster(new TopicOptions { MaxTopics = 50, MaxPartitions = 500, MaxPartitionsPerTopic = 100 });
        cluster.AddTopic(TameRequest.Topic, TameRequest.Partitions, TameRequest.TopicId);
        return await TestGateway.StartAsync(
            options =>
            {
                options.MaxFrameBytes = MaxFrameBytes;
                options.FrameTimeout = TimeSpan.FromMilliseconds(100);
                options.MaxFetchWait = TimeSpan.FromMilliseconds(5);
            },
            cluster);
    }
}
