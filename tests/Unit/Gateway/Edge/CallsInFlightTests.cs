using System.Reflection;
using Granary.Gateway.Edge;
using Granary.Support.Time;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Granary.Unit.Gateway.Edge;

public sealed class CallsInFlightTests
{
    private readonly FakeClock _clock = new();
    private readonly CallsInFlight _calls;

    public CallsInFlightTests() => _calls = new CallsInFlight(_clock);

    [Fact]
    public async Task ACallThatIsStillOutAfterTheGrace_Fails()
    {
        var call = _calls.Invoke(new Call());

        var lost = _calls.SiloLostAsync();
        Assert.False(call.IsCompleted);
        _clock.Advance(CallsInFlight.Grace);
        await lost;

        await Assert.ThrowsAsync<SiloUnavailableException>(() => call);
    }

    [Fact]
    public async Task ACallThatIsAnsweredWithinTheGrace_IsAnswered()
    {
        var asked = new Call();
        var call = _calls.Invoke(asked);

        var lost = _calls.SiloLostAsync();
        asked.Answer.SetResult();
        await call;
        _clock.Advance(CallsInFlight.Grace);
        await lost;

        Assert.True(call.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task ACallThatWasMadeAfterTheLoss_GoesOn()
    {
        var lost = _calls.SiloLostAsync();
        var asked = new Call();
        var call = _calls.Invoke(asked);
        _clock.Advance(CallsInFlight.Grace);
        await lost;

        Assert.False(call.IsCompleted);
        asked.Answer.SetResult();
        await call;
    }

    [Fact]
    public async Task ACallsOwnFailure_IsItsFailure()
    {
        var asked = new Call();
        var call = _calls.Invoke(asked);
        asked.Answer.SetException(new TimeoutException());

        await Assert.ThrowsAsync<TimeoutException>(() => call);
    }

    private sealed class Call : IOutgoingGrainCallContext
    {
        public TaskCompletionSource Answer { get; } = new();

        public IInvokable Request => throw new NotSupportedException();

        public object Grain => throw new NotSupportedException();

        public GrainId? SourceId => null;

        public IGrainContext? SourceContext => null;

        public GrainId TargetId => default;

        public GrainInterfaceType InterfaceType => default;

        public string InterfaceName => "";

        public string MethodName => "";

        public MethodInfo InterfaceMethod => throw new NotSupportedException();

        public object? Result { get; set; }

        public Response? Response { get; set; }

        public Task Invoke() => Answer.Task;
    }
}
