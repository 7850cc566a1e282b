using Granary.Abstractions.Records;
using Granary.Gateway.Kafka.Wire;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

public sealed class ProduceApiTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(12)]
    public async Task Produce_OfAGoodBatch_GivesItsOffset(short version)
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t", 2);
        await using var client = await gateway.ConnectAsync();
        var batch = Batches.Make(records: 3);
        foreach (var offset in new[] { 0, 3, 6 })
        {
            var answer = Only(await client.ProduceAsync(Requests.Produce("t", 1, batch), version, Cancellation));
            Assert.Equal((short)ErrorCode.None, answer.ErrorCode);
            Assert.Equal(offset, answer.BaseOffset);
        }

        Assert.Equal(batch, gateway.Cluster[topic, 1].Appended[2]);
        Assert.Equal(0, gateway.Memory.Requests.TakenBytes);
    }

    [Fact]
    public async Task Produce_WithWrongCrc_IsCorruptAndSaysSo()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        var batch = Batches.Make();
        batch[^1] ^= 1;
        var answer = Only(await client.ProduceAsync(Requests.Produce("t", 0, batch), 9, Cancellation));
        Assert.Equal((short)ErrorCode.CorruptMessage, answer.ErrorCode);
        Assert.Contains("CRC-32C", answer.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(-1, answer.BaseOffset);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Produce_OfAnOldMessageSet_IsRefused(byte magic)
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        var batch = Batches.Make();
        batch[16] = magic;
        foreach (short version in new short[] { 0, 2, 9 })
        {
            var answer = Only(await client.ProduceAsync(Requests.Produce("t", 0, batch), version, Cancellation));
            Assert.Equal((short)ErrorCode.UnsupportedForMessageFormat, answer.ErrorCode);
        }
    }

    [Fact]
    public async Task Produce_OfBadBatches_RefusesThemAndTakesTheOthers()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t", 5);
        await using var client = await gateway.ConnectAsync();
        var good = Batches.Make();
        const short zstd = 4;
        const short transactional = 0x10;
        var request = new ProduceRequest { Acks = -1, TimeoutMs = 1000, TopicData = [new() { Name = "t" }, new() { Name = "unknown" }] };
        byte[]?[] batches = [good, [.. good, .. good], null, Batches.Make(attributes: zstd), Batches.Make(attributes: transactional, producerId: 5, sequence: 0), good];
        for (var i = 0; i < batches.Length; i++)
            request.TopicData[0].PartitionData.Add(new() { Index = i, Records = batches[i] is { } batch ? new RecordBytes(batch) : null });
        request.TopicData[1].PartitionData.Add(new() { Index = 0, Records = new RecordBytes(good) });

        var response = await client.ProduceAsync(request, 6, Cancellation);
        Assert.Equal(
            [ErrorCode.None, ErrorCode.InvalidRecord, ErrorCode.InvalidRecord, ErrorCode.UnsupportedCompressionType, ErrorCode.InvalidTxnState, ErrorCode.UnknownTopicOrPartition],
            response.Responses[0].PartitionResponses.Select(answer => (ErrorCode)answer.ErrorCode));
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, response.Responses[1].PartitionResponses[0].ErrorCode);
        Assert.Single(gateway.Cluster[topic, 0].Appended);
        Assert.Empty(gateway.Cluster[topic, 1].Appended);
    }

    [Fact]
    public async Task Produce_WithOtherAcks_IsRefused()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        var answer = Only(await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make(), acks: 2), 9, Cancellation));
        Assert.Equal((short)ErrorCode.InvalidRequiredAcks, answer.ErrorCode);
        Assert.Empty(gateway.Cluster[topic, 0].Appended);
    }

    [Fact]
    public async Task Produce_WithoutAcks_IsNotAnswered()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        await SendAsync(client, Requests.Produce("t", 0, Batches.Make(), acks: 0));
        Assert.NotEmpty((await client.ApiVersionsAsync(0, Cancellation)).ApiKeys);
        Assert.Single(gateway.Cluster[topic, 0].Appended);
    }

    [Fact]
    public async Task Produce_WithoutAcksAndWithAnError_ClosesTheConnection()
    {
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        await SendAsync(client, Requests.Produce("t", 8, Batches.Make(), acks: 0));
        Assert.Null(await client.ReceiveAsync(Cancellation));
        Assert.Contains(gateway.Log.Warnings, line => line.Contains("partition 8", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Produce_ThatTakesTooLong_IsTimedOut()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        gateway.Cluster[topic, 0].AppendGate = new TaskCompletionSource().Task;
        var answer = Only(await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make(), timeoutMs: 50), 9, Cancellation));
        Assert.Equal((short)ErrorCode.RequestTimedOut, answer.ErrorCode);
    }

    [Fact]
    public async Task Produce_WhereThePartitionIsAway_SaysWhoLeads_AndWhereItsCallBroke_ThatNobodyKnows()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.IsEdge = true);
        var topic = gateway.Cluster.AddTopic("t");
        await using var client = await gateway.ConnectAsync();
        await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 10, Cancellation);
        gateway.Cluster[topic, 0].Failure = static () => new TimeoutException("no answer");
        Assert.Equal((short)ErrorCode.RequestTimedOut, Only(await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 10, Cancellation)).ErrorCode);

        gateway.Cluster[topic, 0].Failure = null;
        gateway.Cluster[topic, 0].Refusal = ErrorCode.NotLeaderOrFollower;
        var response = await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 10, Cancellation);
        Assert.Equal((short)ErrorCode.NotLeaderOrFollower, Only(response).ErrorCode);
        Assert.Equal((1, 7), (Only(response).CurrentLeader.LeaderId, Only(response).CurrentLeader.LeaderEpoch));
        Assert.Equal(gateway.Listener.EndPoint!.Port, Assert.Single(response.NodeEndpoints).Port);

        gateway.Cluster[topic, 0].Failure = static () => new InvalidOperationException("a defect");
        Assert.Equal((short)ErrorCode.UnknownServerError, Only(await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 10, Cancellation)).ErrorCode);
        Assert.Single(gateway.Log.Errors);
    }

    [Fact]
    public async Task Produce_PipelinedToATopicNotHeardOf_KeepsItsOrder()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        await client.ApiVersionsAsync(0, Cancellation);
        var topic = gateway.Cluster.AddTopic("new");
        var batches = Enumerable.Range(1, 50).Select(records => Batches.Make(records)).ToArray();
        foreach (var batch in batches)
            await SendAsync(client, Requests.Produce("new", 0, batch));
        foreach (var _ in batches)
            Assert.NotNull(await client.ReceiveAsync(Cancellation));
        Assert.Equal(batches, gateway.Cluster[topic, 0].Appended);
    }

    [Fact]
    public async Task Produce_ThatMayHaveOvertakenAnother_IsSentAgain_AndAGapOfItsOwnIsTold()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("t");
        var partition = gateway.Cluster[topic, 0];
        await using var client = await gateway.ConnectAsync();
        await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);

        var gate = new TaskCompletionSource();
        partition.AppendGate = gate.Task;
        var first = await SendAsync(client, Requests.Produce("t", 0, Batches.Make()));
        await Eventually.TrueAsync(() => partition.Appended.Count == 2);
        partition.Refusal = ErrorCode.OutOfOrderSequenceNumber;
        var second = await SendAsync(client, Requests.Produce("t", 0, Batches.Make()));
        await Eventually.TrueAsync(() => partition.Refused == 1);
        gate.SetResult();
        Assert.Equal((short)ErrorCode.None, Only(await AnswerAsync(client, first)).ErrorCode);
        Assert.Equal((short)ErrorCode.NotLeaderOrFollower, Only(await AnswerAsync(client, second)).ErrorCode);

        var alone = await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);
        Assert.Equal((short)ErrorCode.OutOfOrderSequenceNumber, Only(alone).ErrorCode);
    }

    [Fact]
    public async Task Produce_BehindOneThatWasRefused_IsSentAgain()
    {
        // What was pipelined behind it finds the log open, and its predecessor has not come again.
        await using var gateway = await TestGateway.StartAsync();
        var partition = gateway.Cluster[gateway.Cluster.AddTopic("t"), 0];
        await using var client = await gateway.ConnectAsync();
        partition.Refusal = ErrorCode.NotLeaderOrFollower;
        var first = await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);
        Assert.Equal((short)ErrorCode.NotLeaderOrFollower, Only(first).ErrorCode);

        partition.Refusal = ErrorCode.OutOfOrderSequenceNumber;
        var second = await client.ProduceAsync(Requests.Produce("t", 0, Batches.Make()), 9, Cancellation);

        Assert.Equal((short)ErrorCode.NotLeaderOrFollower, Only(second).ErrorCode);
    }

    private static Task<ProduceResponse> AnswerAsync(Support.Kafka.KafkaWire client, int correlationId) =>
        client.ReceiveAsync(correlationId, hasFlexibleHeader: true, ProduceResponse.Read, 9, Cancellation);

    private static Task<int> SendAsync(Support.Kafka.KafkaWire client, ProduceRequest request) =>
        client.SendAsync(ProduceRequest.ApiKey, 9, writer => request.Write(writer, 9), Cancellation);

    private static ProduceResponse.PartitionProduceResponse Only(ProduceResponse response) =>
        Assert.Single(Assert.Single(response.Responses).PartitionResponses);
}
