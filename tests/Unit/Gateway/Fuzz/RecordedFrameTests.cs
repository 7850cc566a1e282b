using Granary.Gateway.Kafka.Wire;
using Granary.Unit.Gateway.Kafka;
using Granary.Unit.Wire;

namespace Granary.Unit.Gateway.Fuzz;

/// <summary>What real clients sent is read to its end, written again as the same bytes, and answered.</summary>
public sealed class RecordedFrameTests
{
    public static TheoryData<string> Names() => [.. RecordedFrames.All.Select(frame => frame.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void ReadAndWrite_OfAClientsFrame_GiveItsBytes(string name)
    {
        var bytes = Find(name);
        var reader = new WireReader(bytes.AsMemory(sizeof(int)));
        var header = RequestHeader.Read(ref reader);
        var api = Codecs.NameOf(header.ApiKey)!;
        var body = bytes.AsMemory(bytes.Length - reader.Remaining);

        var message = Codecs.Read(Codecs.Find("req", api)!, header.ApiVersion, body, out var unread);

        Assert.Contains($"-{api}-v{header.ApiVersion}", name, StringComparison.Ordinal);
        Assert.Equal(0, unread);
        using var writer = new WireWriter(forFrame: false);
        header.Write(writer);
        byte[] written = [.. writer.Segments.SelectMany(segment => segment), .. Codecs.Write(message, header.ApiVersion)];
        Assert.Equal(Convert.ToHexStringLower(bytes), Convert.ToHexStringLower([.. FrameMutation.LengthOf(written.Length), .. written]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Listener_FedAClientsFrame_AnswersWellFormed(string name)
    {
        var bytes = Find(name);
        await using var gateway = await TestGateway.StartAsync();
        gateway.Cluster.AddTopic(TameRequest.Topic);
        await using var client = await gateway.ConnectAsync();
        await client.SendBytesAsync(bytes, TestContext.Current.CancellationToken);
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        var reply = await client.ReceiveAsync(TestContext.Current.CancellationToken);

        Assert.NotNull(reply);
        new ExpectedReplies(bytes, gateway.Apis).Take(reply);
        Assert.Null(await client.ReceiveAsync(TestContext.Current.CancellationToken));
        Assert.Empty(gateway.Log.Errors);
        Assert.Empty(gateway.Log.Warnings);
    }

    [Fact]
    public void Files_AreSmall() => Assert.All(RecordedFrames.All, frame => Assert.InRange(frame.Bytes.Length, 8, 1_000));

    private static byte[] Find(string name) => RecordedFrames.All.Single(frame => frame.Name == name).Bytes;
}
