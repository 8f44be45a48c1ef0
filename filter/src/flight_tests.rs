//! What flights promise, on their own. With requests and answers: `exchange_cache_tests.rs`.

use super::*;

fn pending(key: u8) -> Pending {
    Pending::for_tests(key)
}

fn lead(flights: &mut Flights, key: u8) -> Rc<Flight> {
    match flights.seat(pending(key), true) {
        Seat::Lead(flight) => flight,
        Seat::Wait(_) => panic!("somebody asks {key} already"),
    }
}

fn wait(flights: &mut Flights, key: u8, stream: u32) -> Rc<Waiter> {
    match flights.seat(pending(key), true) {
        Seat::Wait(flight) => flights.wait(&flight, Exchange::of(stream)),
        Seat::Lead(_) => panic!("nobody asks {key}"),
    }
}

#[test]
fn the_same_question_waits_and_another_does_not() {
    let mut flights = Flights::default();
    let flight = lead(&mut flights, 1);
    let _other = lead(&mut flights, 2);
    let waiter = wait(&mut flights, 1, 7);
    assert_eq!(flights.waiting(), 1);
    assert!(flights.next_alone().is_none(), "its leader asks");
    let waiters = flights.land(&flight);
    assert_eq!(waiters[0].upgrade().unwrap().stream, 7);
    waiter.exchange.take();
    assert_eq!(flights.waiting(), 0, "its place is free although it lives");
    let _again = lead(&mut flights, 1);
}

#[test]
fn when_who_asked_leaves_the_root_goes_on_with_who_waited_longest_and_is_not_kept_from_it() {
    let mut flights = Flights::default();
    let first = lead(&mut flights, 1);
    let gone = wait(&mut flights, 1, 7);
    let (_second, _third) = (wait(&mut flights, 1, 8), wait(&mut flights, 1, 9));
    drop(first);
    let _comes_later = wait(&mut flights, 1, 10);
    drop(gone);
    let (waiter, flight) = flights.next_alone().unwrap();
    assert_eq!(waiter.stream, 8);
    assert!(flights.next_alone().is_none(), "one goes on");
    waiter.exchange.borrow_mut().flight = flight;
    flights.sent(3, 0, Door::Decide, &[Rc::clone(&waiter)]);
    assert!(flights.ended(4).is_none());
    let call = flights.ended(3).unwrap();
    let [asker] = &call.askers[..] else {
        panic!("asked for one");
    };
    assert_eq!(asker.waiter.upgrade().unwrap().stream, 8);
    assert_eq!(flights.land(asker.flight.as_ref().unwrap()).len(), 2);
}

#[test]
fn a_flight_that_nobody_waits_for_is_led_by_the_next_to_come() {
    let mut flights = Flights::default();
    let first = lead(&mut flights, 1);
    let gone = wait(&mut flights, 1, 7);
    drop((first, gone));
    let _next = lead(&mut flights, 1);
    let _waits = wait(&mut flights, 1, 8);
    assert_eq!(flights.flying.len(), 1);
}

#[test]
fn a_flight_whose_every_client_left_is_forgotten() {
    let mut flights = Flights::default();
    let leader = lead(&mut flights, 1);
    let waiter = wait(&mut flights, 1, 7);
    drop((leader, waiter));
    assert!(flights.next_alone().is_none());
    assert!(flights.flying.is_empty() && flights.waiting() == 0);
}

#[test]
fn nobody_waits_for_an_answer_that_is_for_nobody_else() {
    let mut flights = Flights::default();
    let leader = lead(&mut flights, 1);
    flights.answer_unshared(&leader.pending);
    let (_one, _two) = (lead(&mut flights, 1), lead(&mut flights, 1));
    let alone = flights.seat(pending(2), false);
    assert!(matches!(alone, Seat::Lead(_)));
    let _shared = lead(&mut flights, 2);
}

#[test]
fn who_waits_is_bounded_and_clients_that_come_and_leave_take_no_room() {
    let mut flights = Flights::default();
    let flight = lead(&mut flights, 1);
    for stream in 0..100_000 {
        drop(wait(&mut flights, 1, stream));
    }
    assert!(flight.waiters.borrow().len() < 10);
    let streams = 0..u32::try_from(MAX_WAITERS).unwrap();
    let waiting: Vec<_> = streams
        .map(|stream| wait(&mut flights, 1, stream))
        .collect();
    let _asks = lead(&mut flights, 1);
    drop(waiting);
    let _waits = wait(&mut flights, 1, 0);
}
