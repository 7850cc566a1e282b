using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.Unit.Gateway.Kafka;

public sealed class ConnectionFuzzTests
{
    private const int Frames = 400;

    /// <summary>Real frames with some bytes changed, cut or doubled: the listener answers or closes, and goes on serving others.</summary>
    [Fact]
    public async Task Listener_FedMutatedFrames_NeverFails()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var gateway = await TestGateway.StartAsync(options =>
        {
            options.MaxFrameBytes = 1_000_000;
            options.FrameTimeout = TimeSpan.FromMilliseconds(100);
            options.MaxFetchWait = TimeSpan.FromMilliseconds(20);
        });
        gateway.Cluster.AddTopic("t", 3);
        await using var witness = await gateway.ConnectAsync();
        var seeds = await SeedsAsync(witness);
        for (var i = 0; i < Frames; i++)
        {
            await using var client = await gateway.ConnectAsync();
            await client.SendBytesAsync(Mutate(seeds[random.Next(seeds.Count)], random), TestContext.Current.CancellationToken);
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            while (await client.ReceiveAsync(TestContext.Current.CancellationToken) is not null)
            {
            }

            if (i % 50 == 0)
                Assert.NotEmpty((await witness.ApiVersionsAsync(3, TestContext.Current.CancellationToken)).ApiKeys);
        }

        Assert.Empty(gateway.Log.Errors);
        await Eventually.TrueAsync(() => gateway.Listener.Connections == 1);
        Assert.Equal(0, gateway.Memory.Requests.TakenBytes);
        Assert.Equal(0, gateway.Memory.Replies.HeldBytes);
    }

    private static Task<List<byte[]>> SeedsAsync(KafkaWire client)
    {
        var frames = new List<byte[]>();
        for (short version = 0; version <= ProduceRequest.HighestVersion; version++)
        {
            var produce = Requests.Produce("t", version % 3, Batches.Make());
            frames.Add(client.FrameOf(ProduceRequest.ApiKey, version, 1, writer => produce.Write(writer, version)));
        }

        for (var version = FetchRequest.LowestVersion; version <= FetchRequest.HighestVersion; version++)
        {
            var fetch = Requests.Fetch("t", version % 3, 0);
            frames.Add(client.FrameOf(FetchRequest.ApiKey, version, 2, writer => fetch.Write(writer, version)));
        }

        for (short version = 0; version <= 4; version++)
        {
            var versions = new ApiVersionsRequest { ClientSoftwareName = "fuzz", ClientSoftwareVersion = "1" };
            frames.Add(client.FrameOf(ApiVersionsRequest.ApiKey, version, 3, writer => versions.Write(writer, version)));
        }

        return Task.FromResult(frames);
    }

    private static byte[] Mutate(byte[] frame, Random random)
    {
        var bytes = frame.ToList();
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] = (byte)(random.Next(2) * 255);
                    break;
                case 2:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 3:
                    bytes.RemoveRange(at, random.Next(bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(8, bytes.Count - at)));
                    break;
            }

            if (bytes.Count == 0)
                break;
        }

        return [.. bytes];
    }
}
