using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

public sealed class FetchApiTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(4)]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Fetch_OfWhatWasProduced_GivesTheSameBytes(short version)
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        var (small, large) = (Batches.Make(), Batches.Make(recordsBytes: 300_000));
        await client.ProduceAsync(Requests.Produce("t", 0, small), 9, Cancellation);
        await client.ProduceAsync(Requests.Produce("t", 0, large), 9, Cancellation);

        var answer = Only(await client.FetchAsync(Requests.Fetch("t", 0, 0), version, Cancellation));
        Assert.Equal([.. small, .. large], answer.Records!.ToContiguous().ToArray());
        Assert.Equal((2, 2), (answer.HighWatermark, answer.LastStableOffset));
        Assert.Null(answer.AbortedTransactions);
        await Eventually.TrueAsync(() => gateway.Memory.Replies.HeldBytes == 0);
    }

    /// <summary>librdkafka takes an epoch that ended below what a fetch has given it meanwhile for a log that was cut.</summary>
    [Fact]
    public async Task EpochEnd_OnAConnectionThatWasGivenRecords_IsNotBelowThem()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        await using var other = await gateway.ConnectAsync();
        for (var i = 0; i < 3; i++)
            await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);
        gateway.Cluster[topic, 0].EpochEnd = 1;
        Assert.Equal(1, await EpochEndAsync(client));

        // One behind the other, as from a client that has not heard of the fetch's answer yet.
        var fetch = Requests.Fetch("t", 0, 0);
        await client.SendAsync(FetchRequest.ApiKey, 12, writer => fetch.Write(writer, 12), Cancellation);
        var asked = await SendEpochEndAsync(client);
        Assert.NotNull(await client.ReceiveAsync(Cancellation));

        Assert.Equal(3, await ReceiveEpochEndAsync(client, asked));
        Assert.Equal(1, await EpochEndAsync(other));
        gateway.Cluster[topic, 0].EpochEnd = -1;
        Assert.Equal(-1, await EpochEndAsync(client));
    }

    [Fact]
    public async Task Fetch_ByTopicId_GivesRecordsAndUnknownIds()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);
        var request = Requests.Fetch("", 0, 0, maxWaitMs: 10_000, minBytes: 1_000_000);
        request.Topics[0].TopicId = topic.TopicId;
        request.Topics.Add(new() { TopicId = Guid.NewGuid(), Partitions = [new() { Partition = 0, PartitionMaxBytes = 100 }] });

        var response = await client.FetchAsync(request, 17, Cancellation);
        Assert.Equal(161, response.Responses[0].Partitions[0].Records!.Length);
        Assert.Equal((short)ErrorCode.UnknownTopicId, response.Responses[1].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task Fetch_AtTheEnd_WaitsForRecords()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t", 3);
        await using var reader = await gateway.ConnectAsync();
        await using var writer = await gateway.ConnectAsync();
        var request = Requests.Fetch("t", 0, 0, maxWaitMs: 20_000);
        request.Topics[0].Partitions.AddRange([new() { Partition = 1, PartitionMaxBytes = 1000 }, new() { Partition = 2, PartitionMaxBytes = 1000 }]);

        var fetching = reader.FetchAsync(request, 12, Cancellation);
        await Eventually.TrueAsync(() => gateway.Cluster[topic, 2].WaitersCount == 1);
        await writer.ProduceAsync(Requests.Produce("t", 2, Batches.Make()), 9, Cancellation);
        var response = await fetching;
        Assert.Equal([0, 0, 161], response.Responses[0].Partitions.Select(partition => partition.Records!.Length));
    }

    [Fact]
    public async Task Fetch_WithFewerBytesThanAsked_WaitsForMore()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var reader = await gateway.ConnectAsync();
        await using var writer = await gateway.ConnectAsync();
        var fetching = reader.FetchAsync(Requests.Fetch("t", 0, 0, maxWaitMs: 20_000, minBytes: 400), 12, Cancellation);
        for (var i = 1; i <= 3; i++)
        {
            await Eventually.TrueAsync(() => gateway.Cluster[topic, 0].WaitersCount == 1);
            Assert.False(fetching.IsCompleted);
            await writer.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);
        }

        Assert.Equal(3 * 161, Only(await fetching).Records!.Length);
    }

    [Fact]
    public async Task Fetch_OfIdlePartitions_NeitherReadsNorWaitsAnew()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        for (var i = 0; i < 5; i++)
            Assert.Equal(0, Only(await client.FetchAsync(Requests.Fetch("t", 0, 0, maxWaitMs: 20), 12, Cancellation)).Records!.Length);
        Assert.Equal((1, 1), (gateway.Cluster[topic, 0].Reads, gateway.Cluster[topic, 0].Waits));

        await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);
        Assert.Equal(161, Only(await client.FetchAsync(Requests.Fetch("t", 0, 0, maxWaitMs: 5000), 12, Cancellation)).Records!.Length);
    }

    [Fact]
    public async Task Fetch_OfABatchLargerThanAllLimits_GivesItWhole()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t", 2);
        await using var client = await gateway.ConnectAsync();
        await client.ProduceAsync(Requests.Produce("t", 1, Batches.Make(recordsBytes: 5000)), 9, Cancellation);
        await client.ProduceAsync(Requests.Produce("t", 1, Batches.Make(recordsBytes: 5000)), 9, Cancellation);
        var request = Requests.Fetch("t", 0, 0, maxWaitMs: 5000);
        request.MaxBytes = 200;
        request.Topics[0].Partitions[0].PartitionMaxBytes = 100;
        request.Topics[0].Partitions.Add(new() { Partition = 1, PartitionMaxBytes = 100 });
        var response = await client.FetchAsync(request, 12, Cancellation);
        Assert.Equal([0, 5061], response.Responses[0].Partitions.Select(partition => partition.Records!.Length));
    }

    [Fact]
    public async Task Fetch_OfManyPartitions_KeepsToTheByteLimit()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t", 10);
        await using var client = await gateway.ConnectAsync();
        var request = Requests.Fetch("t", 0, 0);
        request.Topics[0].Partitions.Clear();
        for (var i = 0; i < 10; i++)
        {
            await client.ProduceAsync(Requests.Produce("t", i, Batches.Make(recordsBytes: 1000)), 9, Cancellation);
            request.Topics[0].Partitions.Add(new() { Partition = i, PartitionMaxBytes = 1_000_000 });
        }

        request.MaxBytes = 4000;
        var response = await client.FetchAsync(request, 12, Cancellation);
        Assert.Equal([1061, 1061, 1061, 0, 0, 0, 0, 0, 0, 0], response.Responses[0].Partitions.Select(partition => partition.Records!.Length));
    }

    [Fact]
    public async Task Fetch_WithAnErrorOfThePartition_AnswersAtOnce()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.IsEdge = true);
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        Assert.Equal((short)ErrorCode.OffsetOutOfRange, Only(await client.FetchAsync(Requests.Fetch("t", 0, 99, 20_000), 12, Cancellation)).ErrorCode);
        gateway.Cluster[topic, 0].Refusal = ErrorCode.FencedLeaderEpoch;
        var response = await client.FetchAsync(Requests.Fetch("t", 0, 0, 20_000), 12, Cancellation);
        Assert.Equal((short)ErrorCode.FencedLeaderEpoch, Only(response).ErrorCode);
        Assert.Equal((1, 7), (Only(response).CurrentLeader.LeaderId, Only(response).CurrentLeader.LeaderEpoch));
    }

    [Fact]
    public async Task Fetch_InASession_NamesOnlyWhatIsNew()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t", 2);
        await using var client = await gateway.ConnectAsync();
        var request = Requests.Fetch("t", 0, 0);
        request.SessionEpoch = 0;
        request.Topics[0].Partitions.Add(new() { Partition = 1, PartitionMaxBytes = 1000 });
        var opened = await client.FetchAsync(request, 12, Cancellation);
        Assert.NotEqual(0, opened.SessionId);
        Assert.Equal(2, opened.Responses[0].Partitions.Count);

        await client.ProduceAsync(Requests.Produce("t", 1, Batches.Make()), 9, Cancellation);
        var next = new FetchRequest { SessionId = opened.SessionId, SessionEpoch = 1, MinBytes = 1, MaxWaitMs = 5000, MaxBytes = 1000 };
        var answer = Only(await client.FetchAsync(next, 12, Cancellation));
        Assert.Equal((1, 161), (answer.PartitionIndex, answer.Records!.Length));

        next.SessionEpoch = 7;
        Assert.Equal((short)ErrorCode.InvalidFetchSessionEpoch, (await client.FetchAsync(next, 12, Cancellation)).ErrorCode);
        next.SessionId = 12345;
        Assert.Equal((short)ErrorCode.FetchSessionIdNotFound, (await client.FetchAsync(next, 12, Cancellation)).ErrorCode);
    }

    [Fact]
    public async Task Fetch_WhileTheListenerStops_IsAnsweredAtOnce()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        var fetching = client.FetchAsync(Requests.Fetch("t", 0, 0, maxWaitMs: 60_000), 12, Cancellation);
        await Eventually.TrueAsync(() => gateway.Cluster[topic, 0].WaitersCount == 1);
        await gateway.Listener.StopAsync(Cancellation);
        Assert.Equal(0, Only(await fetching).Records!.Length);
    }

    private static FetchResponse.PartitionData Only(FetchResponse response) =>
        Assert.Single(Assert.Single(response.Responses).Partitions);

    private static async Task<long> EpochEndAsync(KafkaWire client) => await ReceiveEpochEndAsync(client, await SendEpochEndAsync(client));

    private static Task<int> SendEpochEndAsync(KafkaWire client)
    {
        var request = new OffsetForLeaderEpochRequest { Topics = [new() { Topic = "t", Partitions = [new() { Partition = 0, LeaderEpoch = 6 }] }] };
        return client.SendAsync(OffsetForLeaderEpochRequest.ApiKey, 4, writer => request.Write(writer, 4), Cancellation);
    }

    private static async Task<long> ReceiveEpochEndAsync(KafkaWire client, int asked) =>
        (await client.ReceiveAsync(asked, true, OffsetForLeaderEpochResponse.Read, 4, Cancellation)).Topics[0].Partitions[0].EndOffset;
}
