using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Granary.Abstractions.Records;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.Bench;

/// <summary>
/// A produce and a fetch on every partition at a steady pace, from one process, in one request a leader as clients send them; an open loop that
/// keeps five requests of a kind in flight on a connection. It follows leaders as clients do: by the new leader that a refusal names (KIP-951), and by
/// Metadata, which it asks every broker for each 50 ms: so the figures are the cluster's, and not those of a client's timeouts (30 s by default for a
/// broker that hangs) or retry backoffs (100 ms and more). What it measures is the longest time between two acknowledged produces of each partition.
/// </summary>
internal sealed class FailoverClient : IAsyncDisposable
{
    private const short ProduceVersion = 10;
    private const short FetchVersion = 11;
    private const short MetadataVersion = 9;
    private const int MaxInFlight = 5;

    private static readonly TimeSpan s_metadataInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_metadataTimeout = TimeSpan.FromMilliseconds(150);

    private readonly string _topic;
    private readonly TimeSpan _pace;
    private readonly IPEndPoint[] _bootstrap;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<IPEndPoint, Lazy<BrokerConnection>> _produceConnections = new();
    private readonly ConcurrentDictionary<IPEndPoint, Lazy<BrokerConnection>> _fetchConnections = new();
    private readonly IPEndPoint?[] _leaders;
    private readonly long[] _last;
    private readonly long[] _longest;
    private readonly long[] _longestEndedAt;
    private readonly long[] _ends;
    private readonly byte[] _batch;
    private readonly List<Task> _running = [];
    private long _failures;

    /// <param name="pace">How often it produces to and fetches from each partition.</param>
    public FailoverClient(string topic, int partitions, string bootstrap, TimeSpan pace)
    {
        _topic = topic;
        _pace = pace;
        _bootstrap = [.. bootstrap.Split(',').Select(IPEndPoint.Parse)];
        _leaders = new IPEndPoint?[partitions];
        _last = new long[partitions];
        _longest = new long[partitions];
        _longestEndedAt = new long[partitions];
        _ends = new long[partitions];
        var writer = new RecordBatchWriter();
        writer.Append(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), null, new byte[100]);
        _batch = writer.Build();
    }

    /// <summary>Who leads each partition, by the newest answer; null: nobody.</summary>
    public IReadOnlyList<IPEndPoint?> Leaders => _leaders;

    public long Failures => Interlocked.Read(ref _failures);

    public void Start()
    {
        _running.AddRange(_bootstrap.Select(broker => Task.Run(() => FollowAsync(broker))));
        _running.Add(Task.Run(() => BeatAsync(_produceConnections, ProduceAsync)));
        _running.Add(Task.Run(() => BeatAsync(_fetchConnections, FetchAsync)));
    }

    /// <summary>From now on gaps are measured anew.</summary>
    public void Reset()
    {
        for (var partition = 0; partition < _longest.Length; partition++)
            Interlocked.Exchange(ref _longest[partition], 0);
    }

    /// <summary>By partition, the longest time without an acknowledged produce since the reset, one that still lasts included.</summary>
    public double[] GapsInMilliseconds()
    {
        var now = Stopwatch.GetTimestamp();
        return [.. Enumerable.Range(0, _longest.Length).Select(partition =>
            Stopwatch.GetElapsedTime(0, Math.Max(Volatile.Read(ref _longest[partition]), now - Volatile.Read(ref _last[partition]))).TotalMilliseconds)];
    }

    /// <summary>When the longest time without an acknowledged produce of that partition ended, by Stopwatch: to find in the silos' logs what happened then.</summary>
    public long LongestEndedAt(int partition) => Volatile.Read(ref _longestEndedAt[partition]);

    /// <summary>The longest time without an acknowledged produce that lasts now.</summary>
    public double OpenGapInMilliseconds()
    {
        var now = Stopwatch.GetTimestamp();
        return Enumerable.Range(0, _last.Length).Max(partition => Stopwatch.GetElapsedTime(Volatile.Read(ref _last[partition]), now).TotalMilliseconds);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var connection in _produceConnections.Values.Concat(_fetchConnections.Values))
            await connection.Value.DisposeAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private async Task BeatAsync(ConcurrentDictionary<IPEndPoint, Lazy<BrokerConnection>> connections, Func<BrokerConnection, int[], Task> ask)
    {
        using var timer = new PeriodicTimer(_pace);
        while (await TickAsync(timer))
        {
            foreach (var led in Enumerable.Range(0, _leaders.Length).Where(partition => _leaders[partition] is not null).GroupBy(partition => _leaders[partition]!))
            {
                var connection = connections.GetOrAdd(led.Key, key => new Lazy<BrokerConnection>(() => new BrokerConnection(key, MaxInFlight))).Value;
                if (connection.TryEnter())
                    _ = AskAsync(connections, connection, led.ToArray(), ask);
            }
        }
    }

    private async Task AskAsync(ConcurrentDictionary<IPEndPoint, Lazy<BrokerConnection>> connections, BrokerConnection connection, int[] partitions, Func<BrokerConnection, int[], Task> ask)
    {
        try
        {
            await ask(connection, partitions);
        }
        catch (Exception lost) when (lost is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Interlocked.Increment(ref _failures);
            if (connections.TryGetValue(connection.Broker, out var current) && current.IsValueCreated && current.Value == connection)
                connections.TryRemove(new KeyValuePair<IPEndPoint, Lazy<BrokerConnection>>(connection.Broker, current));
            await connection.DisposeAsync();
        }
        finally
        {
            connection.Leave();
        }
    }

    private async Task ProduceAsync(BrokerConnection connection, int[] partitions)
    {
        var request = new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 5_000,
            TopicData = [new ProduceRequest.TopicProduceData
            {
                Name = _topic,
                PartitionData = [.. partitions.Select(index => new ProduceRequest.PartitionProduceData { Index = index, Records = new RecordBytes(_batch) })],
            }],
        };
        var answer = await connection.AskAsync(ProduceRequest.ApiKey, ProduceVersion, writer => request.Write(writer, ProduceVersion), ProduceRequest.IsFlexible(ProduceVersion), ProduceResponse.Read, _stop.Token);
        var now = Stopwatch.GetTimestamp();
        foreach (var partition in answer.Responses.SelectMany(topic => topic.PartitionResponses))
        {
            if (partition.ErrorCode != 0)
            {
                Interlocked.Increment(ref _failures);
                if (answer.NodeEndpoints.Find(node => node.NodeId == partition.CurrentLeader.LeaderId && partition.CurrentLeader.LeaderEpoch >= 0) is { } node)
                    _leaders[partition.Index] = new IPEndPoint(IPAddress.Parse(node.Host), node.Port);
                continue;
            }

            var gap = now - Interlocked.Exchange(ref _last[partition.Index], now);
            if (gap < now && gap > Volatile.Read(ref _longest[partition.Index]))
            {
                Volatile.Write(ref _longest[partition.Index], gap);
                Volatile.Write(ref _longestEndedAt[partition.Index], now);
            }
        }
    }

    private async Task FetchAsync(BrokerConnection connection, int[] partitions)
    {
        var request = new FetchRequest
        {
            MaxWaitMs = 20,
            MinBytes = 1,
            MaxBytes = 1 << 20,
            SessionEpoch = -1,
            Topics = [new FetchRequest.FetchTopic
            {
                Topic = _topic,
                Partitions = [.. partitions.Select(index => new FetchRequest.FetchPartition { Partition = index, FetchOffset = Volatile.Read(ref _ends[index]), PartitionMaxBytes = 1 << 16 })],
            }],
        };
        var answer = await connection.AskAsync(FetchRequest.ApiKey, FetchVersion, writer => request.Write(writer, FetchVersion), FetchRequest.IsFlexible(FetchVersion), FetchResponse.Read, _stop.Token);
        foreach (var partition in answer.Responses.SelectMany(topic => topic.Partitions).Where(partition => partition.ErrorCode == 0))
            Volatile.Write(ref _ends[partition.PartitionIndex], Math.Max(partition.HighWatermark, 0));
    }

    /// <summary>Asks one broker for the leaders again and again; a broker that does not answer is asked anew, and the others' answers count.</summary>
    private async Task FollowAsync(IPEndPoint broker)
    {
        using var timer = new PeriodicTimer(s_metadataInterval);
        BrokerConnection? connection = null;
        while (await TickAsync(timer))
        {
            try
            {
                connection ??= new BrokerConnection(broker, 1);
                using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                timeout.CancelAfter(s_metadataTimeout);
                Learn(await connection.AskAsync(MetadataRequest.ApiKey, MetadataVersion, Ask, MetadataRequest.IsFlexible(MetadataVersion), MetadataResponse.Read, timeout.Token));
            }
            catch (Exception lost) when (lost is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null;
            }
        }

        if (connection is not null)
            await connection.DisposeAsync();

        void Ask(WireWriter writer) => new MetadataRequest { Topics = [new MetadataRequest.MetadataRequestTopic { Name = _topic }] }.Write(writer, MetadataVersion);
    }

    private void Learn(MetadataResponse answer)
    {
        var brokers = answer.Brokers.ToDictionary(broker => broker.NodeId, broker => new IPEndPoint(IPAddress.Parse(broker.Host), broker.Port));
        foreach (var partition in answer.Topics.SelectMany(topic => topic.Partitions))
        {
            if (partition.LeaderId >= 0 && brokers.TryGetValue(partition.LeaderId, out var leader))
                _leaders[partition.PartitionIndex] = leader;
        }
    }

    private async Task<bool> TickAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
