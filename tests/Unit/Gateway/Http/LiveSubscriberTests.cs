using Granary.Gateway.Http.Live;

namespace Granary.Unit.Gateway.Http;

/// <summary>A reader of the live stream that is too slow.</summary>
public sealed class LiveSubscriberTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Next_OfAReaderThatFellBehind_IsASnapshot_AndWhatCameAfterIt()
    {
        var (last, restarts) = (0L, 0);
        using var reader = new LiveSubscriber(3, Restart, _ => { });
        reader.Begin(new LiveEvent(0, "snapshot", []));
        for (var id = 1; id <= 50; id++)
            Offer();

        Assert.Equal((50, "snapshot"), await NextAsync());
        Offer();
        Offer();
        Assert.Equal((51, "rates"), await NextAsync());
        Assert.Equal((52, "rates"), await NextAsync());
        Assert.Equal(1, restarts);

        void Offer() => reader.Offer(new LiveEvent(++last, "rates", []));

        void Restart(LiveSubscriber slow)
        {
            restarts++;
            slow.Begin(new LiveEvent(last, "snapshot", []));
        }

        async Task<(long, string)> NextAsync()
        {
            var next = await reader.NextAsync(Cancellation);
            return (next.Id, next.Name);
        }
    }

    [Fact]
    public async Task Next_OfAReaderThatKeepsUp_IsEveryEvent()
    {
        using var reader = new LiveSubscriber(3, _ => Assert.Fail("nothing was missed"), _ => { });
        for (var id = 1; id <= 30; id++)
        {
            reader.Offer(new LiveEvent(id, "rates", []));
            if (id % 3 == 0)
                Assert.Equal([id - 2, id - 1, id], [(await reader.NextAsync(Cancellation)).Id, (await reader.NextAsync(Cancellation)).Id, (await reader.NextAsync(Cancellation)).Id]);
        }
    }
}
