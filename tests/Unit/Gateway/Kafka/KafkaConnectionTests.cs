using System.Buffers.Binary;
using System.Net.Sockets;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>The listener from outside, over real sockets.</summary>
public sealed class KafkaConnectionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task ApiVersions_OfEachVersion_ListsTheRanges(short version)
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        var response = await client.ApiVersionsAsync(version, Cancellation);
        Assert.Equal((short)ErrorCode.None, response.ErrorCode);
        var produce = Assert.Single(response.ApiKeys, api => api.ApiKey == ProduceRequest.ApiKey);
        Assert.Equal((0, 12), (produce.MinVersion, produce.MaxVersion));
    }

    [Fact]
    public async Task ApiVersions_OfUnknownVersion_IsAnsweredInVersion0AndStaysOpen()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        var id = await client.SendAsync(ApiVersionsRequest.ApiKey, 99, static writer => writer.WriteInt64(0x0123456789abcdef), Cancellation);
        var response = await client.ReceiveAsync(id, false, ApiVersionsResponse.Read, 0, Cancellation);
        Assert.Equal((short)ErrorCode.UnsupportedVersion, response.ErrorCode);
        var only = Assert.Single(response.ApiKeys);
        Assert.Equal((18, 0, 4), (only.ApiKey, only.MinVersion, only.MaxVersion));
        Assert.Equal((short)ErrorCode.None, (await client.ApiVersionsAsync(3, Cancellation)).ErrorCode);
    }

    [Theory]
    [InlineData(-1, "-1")]
    [InlineData(3, "less than the 8 bytes")]
    [InlineData(2_000_001, "more than the limit of 2000000")]
    [InlineData(int.MaxValue, "2147483647")]
    public async Task Frame_OfImpossibleLength_ClosesTheConnectionAndSaysWhy(int length, string said)
    {
        await using var gateway = await TestGateway.StartAsync(options => options.MaxFrameBytes = 2_000_000);
        await using var client = await gateway.ConnectAsync();
        await client.SendBytesAsync(LengthOf(length), Cancellation);
        Assert.Null(await client.ReceiveAsync(Cancellation));
        Assert.Contains(gateway.Log.Warnings, line => line.Contains(said, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(999, 0, "API key 999 is not known")]
    [InlineData(-3, 0, "API key -3 is not known")]
    [InlineData(ProduceRequest.ApiKey, 13, "0 to 12, not 13")]
    [InlineData(FetchRequest.ApiKey, 3, "4 to 17, not 3")]
    [InlineData(ProduceRequest.ApiKey, -1, "0 to 12, not -1")]
    [InlineData(FetchRequest.ApiKey, 4, "fetch version 4 cannot be read")]
    public async Task Request_ThatCannotBeAnswered_ClosesTheConnectionAndSaysWhy(short key, short version, string said)
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        await client.SendAsync(key, version, static writer => writer.WriteInt16(1), Cancellation);
        Assert.Null(await client.ReceiveAsync(Cancellation));
        Assert.Contains(gateway.Log.Warnings, line => line.Contains(said, StringComparison.Ordinal));
        Assert.Empty(gateway.Log.Errors);
        Assert.Equal(0, gateway.Memory.Requests.TakenBytes);
    }

    [Fact]
    public async Task BadRequests_OfManyConnections_FillNoLog()
    {
        await using var gateway = await TestGateway.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            await using var client = await gateway.ConnectAsync();
            await client.SendAsync(999, 0, static _ => { }, Cancellation);
            Assert.Null(await client.ReceiveAsync(Cancellation));
        }

        Assert.InRange(gateway.Log.Warnings.Count(), 1, 10);
    }

    [Fact]
    public async Task Replies_ReadyInAnotherOrder_LeaveInTheOrderOfRequests()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("slow");
        await using var client = await gateway.ConnectAsync();
        await client.ProduceAsync(Requests.Produce("slow", 0, Batches.Make()), 9, Cancellation);
        var gate = new TaskCompletionSource();
        gateway.Cluster[topic, 0].AppendGate = gate.Task;

        var produce = Requests.Produce("slow", 0, Batches.Make());
        var first = await client.SendAsync(ProduceRequest.ApiKey, 9, writer => produce.Write(writer, 9), Cancellation);
        var second = await client.SendAsync(ApiVersionsRequest.ApiKey, 0, static _ => { }, Cancellation);
        await Task.Yield();
        gate.SetResult();
        Assert.Equal(1, (await client.ReceiveAsync(first, true, ProduceResponse.Read, 9, Cancellation)).Responses[0].PartitionResponses[0].BaseOffset);
        Assert.NotEmpty((await client.ReceiveAsync(second, false, ApiVersionsResponse.Read, 0, Cancellation)).ApiKeys);
    }

    [Fact]
    public async Task Requests_PipelinedByTheHundred_AreAnsweredInOrder()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.MaxInFlightRequests = 7);
        await using var client = await gateway.ConnectAsync();
        var frames = Enumerable.Range(1, 300).SelectMany(id => client.FrameOf(ApiVersionsRequest.ApiKey, 0, id, static _ => { })).ToArray();
        await client.SendBytesAsync(frames, Cancellation);
        for (var id = 1; id <= 300; id++)
            await client.ReceiveAsync(id, false, ApiVersionsResponse.Read, 0, Cancellation);
    }

    [Fact]
    public async Task Request_InManySmallPieces_IsReadWhole()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        var frame = client.FrameOf(ApiVersionsRequest.ApiKey, 0, 5, static _ => { });
        foreach (var piece in frame.Chunk(3))
            await client.SendBytesAsync(piece, Cancellation);
        await client.ReceiveAsync(5, false, ApiVersionsResponse.Read, 0, Cancellation);
    }

    [Fact]
    public async Task Connection_BeyondTheLimit_IsRefusedAndSaid()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.MaxConnections = 2);
        await using var first = await gateway.ConnectAsync();
        await using var second = await gateway.ConnectAsync();
        await first.ApiVersionsAsync(0, Cancellation);
        await second.ApiVersionsAsync(0, Cancellation);
        await using var third = await gateway.ConnectAsync();
        Assert.Null(await third.ReceiveAsync(Cancellation));
        Assert.Contains(gateway.Log.Warnings, line => line.Contains("2 are open", StringComparison.Ordinal));
        await first.ApiVersionsAsync(0, Cancellation);
    }

    [Fact]
    public async Task Connection_ThatSaysNothing_IsClosedAfterTheIdleTimeout()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.IdleTimeout = TimeSpan.FromMilliseconds(200));
        await using var client = await gateway.ConnectAsync();
        Assert.Null(await client.ReceiveAsync(Cancellation));
    }

    [Fact]
    public async Task Connection_WithHalfAFrame_IsClosedAfterTheFrameTimeout()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.FrameTimeout = TimeSpan.FromMilliseconds(200));
        await using var client = await gateway.ConnectAsync();
        await client.SendBytesAsync(new byte[] { 0, 0, 1, 0, 1, 2, 3 }, Cancellation);
        Assert.Null(await client.ReceiveAsync(Cancellation));
        await Eventually.TrueAsync(() => gateway.Memory.Requests.TakenBytes == 0);
    }

    [Fact]
    public async Task Connection_WhoseFrameComesByteByByte_IsClosedWhenItIsLate()
    {
        const int Length = 8 << 20;
        await using var gateway = await TestGateway.StartAsync(options =>
            (options.FrameTimeout, options.MinFrameBytesPerSecond) = (TimeSpan.FromMilliseconds(200), 1 << 30));
        await using var client = await gateway.ConnectAsync();
        await client.SendBytesAsync(LengthOf(Length), Cancellation);
        var closed = client.ReceiveAsync(Cancellation);
        try
        {
            // Never silent for as long as the timeout, and much faster than the timeout alone would ask for.
            for (var sent = 0; sent < Length && !closed.IsCompleted; sent++)
                await client.SendBytesAsync(new byte[1], Cancellation);
        }
        catch (SocketException)
        {
            // It is closed.
        }

        await Eventually.TrueAsync(() => gateway.Memory.Requests.TakenBytes == 0);
        Assert.Contains(gateway.Log.Warnings, line => line.Contains("a frame was not whole", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SmallRequests_DoNotWaitForLargeFramesThatAreOnTheirWay()
    {
        const int Large = 4 << 20;
        await using var gateway = await TestGateway.StartAsync(options => (options.MaxFrameBytes, options.MaxRequestBytes) = (Large, Large));
        await using var first = await gateway.ConnectAsync();
        await using var second = await gateway.ConnectAsync();
        await using var small = await gateway.ConnectAsync();

        // One has all that there is for large ones; the other is in line behind it.
        await first.SendBytesAsync(LengthOf(Large), Cancellation);
        await second.SendBytesAsync(LengthOf(Large), Cancellation);
        await Eventually.TrueAsync(() => gateway.Memory.Requests.TakenBytes >= Large);

        Assert.NotEmpty((await small.ApiVersionsAsync(0, Cancellation)).ApiKeys);

        // Not because one of them was closed, for its silence, meanwhile.
        Assert.Equal(3, gateway.Listener.Connections);
        Assert.InRange(gateway.Memory.Requests.TakenBytes, Large, Large + RequestBudget.SmallBytes);
    }

    [Fact]
    public async Task Stop_WithARequestBeingAnswered_AnswersItFirst()
    {
        await using var gateway = await TestGateway.StartAsync();
        var topic = gateway.Cluster.AddTopic("slow");
        await using var client = await gateway.ConnectAsync();
        var gate = new TaskCompletionSource();
        gateway.Cluster[topic, 0].AppendGate = gate.Task;
        var produce = Requests.Produce("slow", 0, Batches.Make());
        var id = await client.SendAsync(ProduceRequest.ApiKey, 9, writer => produce.Write(writer, 9), Cancellation);
        await Eventually.TrueAsync(() => gateway.Cluster[topic, 0].End == 1);

        var stopping = gateway.Listener.StopAsync(Cancellation);
        gate.SetResult();
        Assert.Equal(0, (await client.ReceiveAsync(id, true, ProduceResponse.Read, 9, Cancellation)).Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Null(await client.ReceiveAsync(Cancellation));
        await stopping;
    }

    [Fact]
    public async Task Client_ThatTakesNoReplies_IsNoLongerReadFrom()
    {
        await using var gateway = await TestGateway.StartAsync(options => options.MaxInFlightBytes = 100_000);
        gateway.Cluster.AddTopic("large");
        await using var client = await gateway.ConnectAsync();
        client.Socket.ReceiveBufferSize = 256 * 1024;
        for (var i = 0; i < 8; i++)
            await client.ProduceAsync(Requests.Produce("large", 0, Batches.Make(recordsBytes: 500_000)), 9, Cancellation);

        var fetch = Requests.Fetch("large", 0, 0);
        var frame = client.FrameOf(FetchRequest.ApiKey, 11, 1, writer => fetch.Write(writer, 11));
        var sent = 0;
        for (; sent < 12; sent++)
            await client.SendBytesAsync(frame, Cancellation);
        await Eventually.TrueAsync(() => gateway.Memory.Replies.HeldBytes > 0);
        // Each reply is about 4 MB: one or two are held, and one more is being read (10 MB at the most); not all twelve.
        long most = 0;
        for (var i = 0; i < sent; i++)
        {
            most = Math.Max(most, gateway.Memory.Replies.HeldBytes);
            var response = await client.ReceiveAsync(1, false, FetchResponse.Read, 11, Cancellation);
            Assert.Equal(8 * 500_061, response.Responses[0].Partitions[0].Records!.Length);
        }

        Assert.InRange(most, 1, 20_000_000);
        await Eventually.TrueAsync(() => gateway.Memory.Replies.HeldBytes == 0);
    }

    [Fact]
    public async Task Client_ThatEndsItsHalf_StillGetsItsReplies()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var client = await gateway.ConnectAsync();
        await client.SendBytesAsync(client.FrameOf(ApiVersionsRequest.ApiKey, 0, 1, static _ => { }), Cancellation);
        client.Socket.Shutdown(SocketShutdown.Send);
        await client.ReceiveAsync(1, false, ApiVersionsResponse.Read, 0, Cancellation);
        Assert.Null(await client.ReceiveAsync(Cancellation));
        await Eventually.TrueAsync(() => gateway.Listener.Connections == 0);
    }

    private static byte[] LengthOf(int frame)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, frame);
        return bytes;
    }
}
